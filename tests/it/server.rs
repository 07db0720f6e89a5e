//! A machine with the package installed and configured, and what can be asked of it.

use std::ops::Deref;

use crate::golden::Told;
use crate::machine::{Machine, package};

/// In the connection string, and nowhere else.
pub const PASSWORD: &str = "S3cret-of-the-r0le";

/// Makes PostgreSQL known as db.example.org, by a certificate of an authority of its own; fills a database.
const DATABASE: &str = include_str!("server/database");

/// A machine on which the package is installed.
pub struct Server {
    machine: Machine,
    /// What whoever installed the package was told.
    pub told: String,
}

impl Deref for Server {
    type Target = Machine;

    fn deref(&self) -> &Machine {
        &self.machine
    }
}

impl Server {
    /// Installed, as README tells, and not yet configured.
    pub fn installed() -> Server {
        let machine = Machine::booted();
        let told = machine.succeeds(&format!("apt-get install --yes {}", inside()));
        Server { machine, told }
    }

    pub fn configured() -> Server {
        let server = Server::installed();
        server.is_configured();
        server
    }

    /// It gets a database to read, which knows of one good run of "sales".
    pub fn is_configured(&self) {
        self.succeeds(&DATABASE.replace("PASSWORD", PASSWORD));
        self.succeeds(&format!(
            "echo \"DATABASE_URL='postgres://syncmon_ro:{PASSWORD}@db.example.org:5432/museum\
             ?sslmode=verify-full&sslrootcert=/etc/syncmon/ca.crt'\" >> /etc/syncmon/env"
        ));
    }

    #[track_caller]
    pub fn builds(&self) {
        self.succeeds("systemctl start syncmon.service");
    }

    /// The build fails, and systemd calls it so, for example "exit-code 75".
    #[track_caller]
    pub fn fails_to_build(&self) -> String {
        let started = self.run("systemctl start syncmon.service");
        assert_ne!(started.code, 0, "{}", self.journal());
        // What OnFailure= starts may still be at it.
        self.waits_until(
            "the failure was told",
            "! systemctl is-active syncmon-failure.service | grep activating",
        );
        let result = self.succeeds(
            "systemctl show --value --property=Result --property=ExecMainStatus syncmon.service | sort -r",
        );
        result.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    pub fn stops_the_database(&self) {
        self.succeeds("systemctl stop postgresql@$(ls /etc/postgresql)-main");
    }

    pub fn starts_the_database(&self) {
        self.succeeds("systemctl start postgresql@$(ls /etc/postgresql)-main");
    }

    /// The database takes connections and says nothing any more.
    pub fn stalls_the_database(&self) {
        self.succeeds("systemctl kill --signal=STOP 'postgresql@*'");
    }

    pub fn database_goes_on(&self) {
        self.succeeds("systemctl kill --signal=CONT 'postgresql@*'");
    }

    /// Starts a build that waits for a stalled database, longer than any test.
    pub fn begins_a_build_that_waits(&self) {
        self.succeeds(
            "grep -qs build_timeout /etc/syncmon/syncmon.toml ||
                 printf '%s\\n' 'connect_timeout = \"100s\"' 'build_timeout = \"110s\"' >> /etc/syncmon/syncmon.toml",
        );
        self.stalls_the_database();
        self.succeeds("systemctl start --no-block syncmon.service");
        self.waits_until(
            "the build is at work",
            "[ \"$(systemctl show --value --property=MainPID syncmon.service)\" != 0 ] \
             && grep -q '^syncmon' /proc/$(systemctl show --value --property=MainPID syncmon.service)/comm",
        );
    }

    pub fn waits_until_no_build_is_at_work(&self) {
        let inactive = "[ \"$(systemctl is-active syncmon.service)\" = inactive ]";
        self.waits_until("the build is done", inactive);
    }

    /// A drop-in for a unit.
    pub fn changes(&self, unit: &str, settings: &str) {
        self.succeeds(&format!(
            "mkdir -p /etc/systemd/system/{unit}.d
             printf '%s\\n' '{settings}' > /etc/systemd/system/{unit}.d/test.conf
             systemctl daemon-reload"
        ));
    }

    pub fn changes_nothing_any_more(&self, unit: &str) {
        self.succeeds(&format!(
            "rm -r /etc/systemd/system/{unit}.d; systemctl daemon-reload"
        ));
    }

    /// A sum of each published file.
    pub fn site(&self) -> String {
        self.succeeds("cd /var/lib/syncmon/site && find . -type f -exec sha256sum {} + | sort -k 2")
    }

    pub fn status(&self) -> serde_json::Value {
        let text = self.succeeds("cat /var/lib/syncmon/site/status.json");
        serde_json::from_str(&text).unwrap()
    }

    /// What whoever watches the log is told of failures, a line each, since this was asked before.
    pub fn alarms(&self) -> String {
        self.succeeds(
            "journalctl --quiet --no-pager --output=cat --unit=syncmon-failure.service --priority=alert \
             --cursor-file=/run/alarms-read",
        )
    }

    /// One alarm since then, and this.
    #[track_caller]
    pub fn told_once(&self, what: &str) {
        let alarms = self.alarms();
        assert_eq!(alarms.lines().count(), 1, "{alarms}");
        alarms.has(what);
    }
}

/// Where the machine sees the package.
pub fn inside() -> String {
    let package = package();
    let name = package.file_name().unwrap().to_str().unwrap();
    format!("/packages/{name}")
}
