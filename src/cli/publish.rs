//! The options of `syncmon publish`.

use std::path::PathBuf;

use clap::Args;

/// What `publish` is asked for.
#[derive(Debug, Args)]
#[command(
    after_help = "DIR holds a site as syncmon build made it on another machine, copied here by rsync for example.\n\
    Only what its manifest lists is taken, and only if all of it is there, byte for byte: what is half\n\
    sent is refused, and the live site stays. DIR is left as it is. No database is read.\n\n\
    The live site stays as well where what was sent is older, and where it shows data and what was\n\
    sent shows none, because its builder has never read the database.\n\n\
    Example:\n  \
    syncmon publish --from /var/lib/syncmon/incoming --out /var/lib/syncmon/site\n\n\
    Exit codes: 0 published, or older than the live site; 75 not now: it shows no data, or another\n\
    build stays at work; 2 usage; 1 not whole, or anything else."
)]
pub struct PublishOptions {
    /// Directory into which the site was sent
    #[arg(long, value_name = "DIR")]
    pub from: PathBuf,

    /// Directory to publish the site into
    #[arg(
        long,
        value_name = "DIR",
        env = "SYNCMON_OUT",
        default_value = "public"
    )]
    pub out: PathBuf,

    /// Print nothing unless something is wrong
    #[arg(short, long, env = "SYNCMON_QUIET", value_parser = clap::builder::FalseyValueParser::new())]
    pub quiet: bool,
}
