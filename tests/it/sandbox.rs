//! The one builder of test worlds: a directory, a real database, and the program run in it as a
//! user would run it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection};
use tempfile::TempDir;

use crate::cluster::Cluster;

/// The program under test.
pub const SYNCMON: &str = env!("CARGO_BIN_EXE_syncmon");

/// The one that `tests/platforms/run` names, or the one that was built with the tests.
fn program_under_test() -> PathBuf {
    std::env::var_os("SYNCMON_TEST_PROGRAM").map_or_else(|| SYNCMON.into(), PathBuf::from)
}

/// The moment at which most tests take place: Sunday 22 November 2026, 12:05 in Los Angeles.
pub const NOW: &str = "2026-11-22T20:05:00Z";

/// A directory of its own, with `site` to publish into, `state` to keep things in, and possibly a
/// database.
pub struct Sandbox {
    directory: TempDir,
    program: PathBuf,
    url: Option<String>,
    /// As whom the test itself writes, where that is not `url`.
    owner: Option<String>,
    variables: BTreeMap<String, String>,
    arguments: Vec<String>,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Sandbox {
    /// Without any database.
    pub fn bare() -> Sandbox {
        let directory = tempfile::Builder::new()
            .prefix("syncmon-test-")
            .tempdir()
            .unwrap();
        Sandbox {
            directory,
            program: program_under_test(),
            url: None,
            owner: None,
            variables: BTreeMap::new(),
            arguments: Vec::new(),
        }
    }

    /// With an SQLite database that has the two tables.
    pub fn sqlite() -> Sandbox {
        let sandbox = Sandbox::bare();
        let url = format!("sqlite:{}", sandbox.path("sync.sqlite").display());
        let sandbox = sandbox.with_url(&url);
        sandbox.succeeds(&["init-db"]);
        sandbox
    }

    /// With a database of its own in the shared PostgreSQL, and the schema in it. The program reads
    /// as `syncmon_ro`; [`Sandbox::sql`] writes as the owner.
    pub fn postgres() -> Sandbox {
        Sandbox::postgres_in(Cluster::shared())
    }

    /// The same in another PostgreSQL than the shared one.
    pub fn postgres_in(cluster: &Cluster) -> Sandbox {
        let template = cluster.template(|name| {
            Sandbox::copied_in(cluster, name, "template1").succeeds(&["init-db"]);
        });
        let sandbox = Sandbox::copied_in(cluster, &fresh_name(), template);
        let url = cluster.url("syncmon_ro", &sandbox.database());
        sandbox.with_url(&url)
    }

    /// With an empty database of its own, read as its superuser.
    pub fn empty_postgres_in(cluster: &Cluster) -> Sandbox {
        Sandbox::copied_in(cluster, &fresh_name(), "template1")
    }

    fn copied_in(cluster: &Cluster, name: &str, template: &str) -> Sandbox {
        execute(
            &cluster.url("postgres", "postgres"),
            &format!("create database {name} template {template}"),
        );
        let url = cluster.url("postgres", name);
        let mut sandbox = Sandbox::bare().with_url(&url);
        sandbox.owner = Some(url);
        sandbox
    }

    /// The same two sandboxes for every test that must hold on both databases.
    pub fn both() -> [Sandbox; 2] {
        [Sandbox::postgres(), Sandbox::sqlite()]
    }

    pub fn with_url(mut self, url: &str) -> Sandbox {
        self.url = Some(url.to_owned());
        self
    }

    /// The program has to learn the database from elsewhere.
    pub fn without_url(mut self) -> Sandbox {
        self.url = None;
        self
    }

    /// For every later run of the program.
    pub fn env(mut self, name: &str, value: &str) -> Sandbox {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// For every later build.
    pub fn arg(mut self, argument: &str) -> Sandbox {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Writes a file, for example `syncmon.toml`.
    pub fn file(self, name: &str, content: &str) -> Sandbox {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// Runs SQL in the database as its owner.
    pub fn sql(self, sql: &str) -> Sandbox {
        self.execute(sql);
        self
    }

    pub fn execute(&self, sql: &str) {
        execute(self.owner_url(), sql);
    }

    /// As whom the test itself writes.
    pub fn owner_url(&self) -> &str {
        self.owner.as_deref().unwrap_or_else(|| self.url())
    }

    /// The name of the PostgreSQL database.
    pub fn database(&self) -> String {
        self.owner_url().rsplit('/').next().unwrap().to_owned()
    }

    pub fn url(&self) -> &str {
        self.url.as_deref().expect("this sandbox has no database")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn root(&self) -> &Path {
        self.directory.path()
    }

    /// The program, ready to be run here with nothing inherited but PATH.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("PATH", std::env::var("PATH").unwrap_or_default())
            .env("HOME", self.directory.path())
            .stdin(Stdio::null());
        if let Some(url) = &self.url {
            command.env("DATABASE_URL", url);
        }
        command.envs(&self.variables);
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ended {
        let output = self.command(arguments).output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Runs the program and insists on exit code 0.
    pub fn succeeds(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, 0, "syncmon {arguments:?}: {ended:?}");
        ended
    }

    /// `syncmon build` at a moment, into `site`, with `state`.
    pub fn build_at(&self, now: &str) -> Ended {
        let mut arguments = vec![
            "build",
            "--out",
            "site",
            "--state-dir",
            "state",
            "--now",
            now,
        ];
        arguments.extend(self.arguments.iter().map(String::as_str));
        self.run(&arguments)
    }

    /// `syncmon build` at [`NOW`], insisting on exit code 0.
    pub fn build(&self) -> Ended {
        let ended = self.build_at(NOW);
        assert_eq!(ended.code, 0, "{ended:?}");
        ended
    }

    /// `syncmon build` with the real clock.
    pub fn build_now(&self) -> Ended {
        let mut arguments = vec!["build", "--out", "site", "--state-dir", "state"];
        arguments.extend(self.arguments.iter().map(String::as_str));
        self.run(&arguments)
    }

    /// A published file's text.
    pub fn page(&self, name: &str) -> String {
        fs::read_to_string(self.path("site").join(name))
            .unwrap_or_else(|error| panic!("site/{name}: {error}"))
    }

    /// The published `status.json`.
    pub fn status(&self) -> Value {
        serde_json::from_str(&self.page("status.json")).unwrap()
    }

    /// One entity of the published `status.json`.
    pub fn entity(&self, entity_type: &str) -> Value {
        let status = self.status();
        let entities = status["entities"].as_array().unwrap();
        entities
            .iter()
            .find(|entity| entity["entity_type"] == entity_type)
            .unwrap_or_else(|| panic!("{entity_type} is not in status.json"))
            .clone()
    }

    /// "yellow late": health and reason of an entity.
    pub fn verdict(&self, entity_type: &str) -> String {
        let entity = self.entity(entity_type);
        format!(
            "{} {}",
            entity["health"].as_str().unwrap(),
            entity["reason"].as_str().unwrap()
        )
    }

    /// Where an asset such as "syncmon.css" lies within the site: its pages say it.
    pub fn asset(&self, name: &str) -> String {
        asset_of(&self.page("index.html"), name)
    }

    /// Every published byte, by relative path. Compressed copies are compared with what they are copies
    /// of, and left out.
    pub fn site(&self) -> BTreeMap<String, Vec<u8>> {
        let mut site = self.whole_site();
        let copies: Vec<String> = site
            .keys()
            .filter_map(|path| path.strip_suffix(".gz"))
            .map(str::to_owned)
            .collect();
        for path in copies {
            let copy = site.remove(&format!("{path}.gz")).unwrap();
            let whole = site
                .get(&path)
                .unwrap_or_else(|| panic!("{path}.gz is a copy of nothing"));
            assert!(
                uncompressed(&copy) == *whole,
                "{path}.gz is a copy of something else"
            );
        }
        site
    }

    /// The same with the compressed copies.
    pub fn whole_site(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.path("site");
        walkdir::WalkDir::new(&root)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
            .map(|entry| {
                let mut bytes = Vec::new();
                fs::File::open(entry.path())
                    .unwrap()
                    .read_to_end(&mut bytes)
                    .unwrap();
                let relative = entry.path().strip_prefix(&root).unwrap();
                (relative.to_string_lossy().into_owned(), bytes)
            })
            .collect()
    }
}

fn fresh_name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("world_{}_{number}", std::process::id())
}

/// What a compressed copy is a copy of.
pub fn uncompressed(bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    flate2::read::GzDecoder::new(bytes)
        .read_to_end(&mut whole)
        .unwrap();
    whole
}

/// The path of an asset that an overview asks for.
pub fn asset_of(overview: &str, name: &str) -> String {
    let version = version_of(overview).expect("the overview has no version");
    let path = format!("assets/{version}/{name}");
    assert!(overview.contains(&path), "{path} is not in {overview}");
    path
}

/// Which assets an overview asks for.
pub fn version_of(overview: &str) -> Option<&str> {
    let (_, rest) = overview.split_once("data-version=\"")?;
    rest.split('"').next()
}

/// Runs SQL in whatever database the URL names.
pub fn execute(url: &str, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        if url.starts_with("sqlite:") {
            let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        } else {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql))
                .execute(&mut connection)
                .await
                .unwrap();
            connection.close().await.unwrap();
        }
    });
}
