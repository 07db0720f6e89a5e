//! The way to a database: where it leads, and what protects what travels on it.

use sqlx::postgres::PgSslMode;

use super::Database;
use super::database::is_local;

/// Where the way to a database leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// To a file, by no network at all.
    ToAFile,
    /// To a program on this machine, through a socket.
    ThroughASocket,
    /// To an address of this machine's own.
    WithinThisMachine,
    OverTheNetwork,
}

/// The way to a database, as far as the connection string decides it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    pub leads: Leads,
    /// Without encryption there is no connection.
    pub encrypted: bool,
    /// Without a certificate for this very host there is no connection (`verify-full`).
    pub verified: bool,
    /// What has to vouch for the server: the path of a file with certificates. `None` if it is not given.
    pub authority: Option<String>,
}

impl Database {
    /// The way to this database.
    pub fn way(&self) -> Way {
        let Database::Postgres(postgres) = self else {
            return Way {
                leads: Leads::ToAFile,
                encrypted: false,
                verified: false,
                authority: None,
            };
        };
        let options = &postgres.options;
        let socket = options.get_socket().is_some() || options.get_host().starts_with('/');
        let mode = options.get_ssl_mode();
        Way {
            leads: match (socket, is_local(options)) {
                (true, _) => Leads::ThroughASocket,
                (false, true) => Leads::WithinThisMachine,
                (false, false) => Leads::OverTheNetwork,
            },
            encrypted: !socket
                && matches!(
                    mode,
                    PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
                ),
            verified: matches!(mode, PgSslMode::VerifyFull),
            authority: postgres.authority.as_ref().map(|authority| {
                if authority.starts_with("-----BEGIN") {
                    "a certificate within the connection string".to_owned()
                } else {
                    authority.clone()
                }
            }),
        }
    }
}
