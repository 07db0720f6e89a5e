//! The database is away: the page stays, grows older and says so; programs get exit code 75.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::sql::hold;

/// Sales synced 43 minutes before [`NOW`]. The text makes the answer longer than one packet, and
/// is that of a run before.
const SYNCED: &str = "
    insert into sync_log (timestamp, entity_type, action, status, duration_seconds, error_details) values
        ('2026-11-22T19:22:00Z', 'sales', 'incremental_sync', 'completed', 4.5, null),
        ('2026-11-22T18:22:00Z', 'sales', 'incremental_sync', 'failed', 4.5, '%')";

const FIRST_FAILURE: &str = "2026-11-22T20:10:00Z";
/// What was read at [`NOW`] may be believed until 20:20.
const SECOND_FAILURE: &str = "2026-11-22T20:30:00Z";
const HEALED: &str = "2026-11-22T20:40:00Z";

const SETTINGS: &str = "connect_timeout = \"1s\"\n[[entities]]\nentity_type = \"sales\"\n";

fn filled(world: Sandbox) -> Sandbox {
    world
        .sql(&SYNCED.replace('%', &"x".repeat(3900)))
        .file("syncmon.toml", SETTINGS)
}

/// A real database, read through a gate.
fn behind_a_gate() -> (Sandbox, Gate) {
    let world = filled(Sandbox::postgres());
    let gate = Gate::before(Cluster::shared().port);
    let url = format!(
        "postgres://syncmon_ro@127.0.0.1:{}/{}",
        gate.port,
        world.database()
    );
    (world.with_url(&url), gate)
}

/// The whole story of an outage: what is said, what is kept, and that it ends by itself.
fn survives(
    fault: &str,
    world: Sandbox,
    breaks: impl FnOnce(Sandbox) -> Sandbox,
    heals: impl FnOnce(Sandbox) -> Sandbox,
) {
    let good = world.build_at(NOW);
    assert_eq!(good.code, 0, "{good:?}");
    assert_eq!(world.verdict("sales"), "green fresh");
    let known = world.entity("sales");

    let world = breaks(world);
    let away = world.build_at(FIRST_FAILURE);
    golden::section("messages.txt", fault, &told(&world, &away));
    let status = says_that_it_is_away(&world, &away);
    assert_eq!(status["generated_at"], "2026-11-22T20:10:00Z");
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(status["overall"]["health"], "yellow");
    let kept = world.entity("sales");
    for unchanged in ["last_success_at", "last_run", "turns_yellow_at", "detail"] {
        assert_eq!(kept[unchanged], known[unchanged], "{unchanged}");
    }
    assert_eq!(kept["age_seconds"], 47.0 * 60.0 + 55.5);

    let away = world.build_at(SECOND_FAILURE);
    let status = says_that_it_is_away(&world, &away);
    assert_eq!(status["generated_at"], "2026-11-22T20:30:00Z");
    assert_eq!(world.verdict("sales"), "yellow out_of_date");

    says_what_to_do_if_nothing_was_ever_read(&world);

    let world = heals(world);
    let healed = world.build_at(HEALED);
    assert_eq!((healed.code, healed.stderr.as_str()), (0, ""), "{healed:?}");
    let status = world.status();
    assert_eq!(
        status["source"],
        serde_json::json!({"state": "ok", "since": null, "message": null})
    );
    assert_eq!(status["as_of"], "2026-11-22T20:40:00Z");
    assert_eq!(world.verdict("sales"), "green fresh");
    assert!(!world.page("index.html").contains("class=\"banner\""));
}

/// What every build during the outage has in common.
fn says_that_it_is_away(world: &Sandbox, ended: &Ended) -> Value {
    assert_eq!(ended.code, 75, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    let status = world.status();
    assert_eq!(status["source"]["state"], "unreachable");
    assert_eq!(status["source"]["since"], "2026-11-22T20:10:00Z");
    assert_eq!(status["as_of"], "2026-11-22T20:05:00Z");
    assert_eq!(status["valid_until"], "2026-11-22T20:20:00Z");
    let banner = banner(world);
    for part in [
        "since Sunday 22 November, 12:10",
        status["source"]["message"].as_str().unwrap(),
        "What you see was read on Sunday 22 November 2026, 12:05",
    ] {
        assert!(banner.contains(part), "{part:?} is not in {banner:?}");
    }
    status
}

/// Another state directory and another site: nothing is known from before.
fn says_what_to_do_if_nothing_was_ever_read(world: &Sandbox) {
    let ended = world.run(&[
        "build",
        "--out",
        "first",
        "--state-dir",
        "first-state",
        "--now",
        SECOND_FAILURE,
    ]);
    assert_eq!(ended.code, 75, "{ended:?}");
    let page = fs::read_to_string(world.path("first/index.html")).unwrap();
    assert!(page.contains("there is nothing to show yet"), "{page}");
    assert!(page.contains("Ask whoever runs syncmon"), "{page}");
    let status: Value =
        serde_json::from_slice(&fs::read(world.path("first/status.json")).unwrap()).unwrap();
    assert_eq!(status["as_of"], Value::Null);
    assert_eq!(status["valid_until"], Value::Null);
    assert_eq!(status["source"]["since"], "2026-11-22T20:30:00Z");
    assert_ne!(status["overall"]["health"], "green");
    for entity in status["entities"].as_array().unwrap() {
        assert_ne!(entity["health"], "green", "{entity}");
        assert_eq!(entity["last_success_at"], Value::Null);
    }
}

fn banner(world: &Sandbox) -> String {
    let page = world.page("index.html");
    let (_, rest) = page.split_once("<p class=\"banner\"").expect("no banner");
    let (_, text) = rest.split_once('>').unwrap();
    text.split_once("</p>").unwrap().0.to_owned()
}

/// For the engineer and for everybody, without what differs from run to run.
fn told(world: &Sandbox, ended: &Ended) -> String {
    let mut text = format!(
        "{}\n{}",
        ended.stderr.trim_end(),
        world.status()["source"]["message"].as_str().unwrap()
    );
    let url = world.url();
    if let Some((_, address)) = url.split_once('@') {
        let (host, database) = address.rsplit_once('/').unwrap();
        text = text
            .replace(host, "HOST:PORT")
            .replace(database, "DATABASE");
        text = text.replace(&world.database(), "DATABASE");
    }
    text.replace(&world.root().display().to_string(), "DIR")
}

#[test]
fn nobody_listens() {
    let (world, gate) = behind_a_gate();
    survives(
        "the server is down",
        world,
        turn(&gate, Manner::Refusing),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn nobody_answers() {
    let (world, gate) = behind_a_gate();
    survives(
        "the server does not answer",
        world,
        turn(&gate, Manner::Silent),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_connection_is_closed_at_once() {
    let (world, gate) = behind_a_gate();
    survives(
        "the connection is closed at once",
        world,
        turn(&gate, Manner::CutAfter(0)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_connection_breaks_in_the_middle_of_the_answer() {
    let (world, gate) = behind_a_gate();
    survives(
        "the connection breaks in the middle of the answer",
        world,
        turn(&gate, Manner::CutAfter(2000)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_answer_stalls() {
    let (world, gate) = behind_a_gate();
    let hasty = format!("build_timeout = \"2s\"\n{SETTINGS}");
    survives(
        "the answer stalls",
        world.file("syncmon.toml", &hasty),
        turn(&gate, Manner::StallAfter(2000)),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn something_else_listens() {
    let (world, gate) = behind_a_gate();
    survives(
        "a web server listens",
        world,
        turn(&gate, Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
        turn(&gate, Manner::Open),
    );
}

#[test]
fn the_password_is_wrong() {
    let world = filled(Sandbox::postgres());
    let role = format!("guarded_{}", world.database());
    world.execute(&format!(
        "do $$ begin
             create role password_required;
         exception when duplicate_object or unique_violation then null;
         end $$;
         create role {role} login password 'right' in role syncmon_ro, password_required"
    ));
    let url =
        |password: &str| Cluster::shared().url(&format!("{role}:{password}"), &world.database());
    let (right, wrong) = (url("right"), url("wr0ngPassw0rd"));
    survives(
        "the password is wrong",
        world.with_url(&right),
        |world| world.with_url(&wrong),
        |world| world.with_url(&right),
    );
}

#[test]
fn there_is_no_such_role() {
    let world = filled(Sandbox::postgres());
    let right = world.url().to_owned();
    let wrong = Cluster::shared().url("nobody", &world.database());
    survives(
        "there is no such role",
        world,
        |world| world.with_url(&wrong),
        |world| world.with_url(&right),
    );
}

#[test]
fn there_is_no_such_database() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    let elsewhere = Cluster::shared().url("postgres", "postgres");
    let rename = |from: &str, to: &str| {
        crate::sandbox::execute(&elsewhere, &format!("alter database {from} rename to {to}"));
    };
    let gone = format!("{name}_gone");
    survives(
        "there is no such database",
        world,
        |world| {
            rename(&name, &gone);
            world
        },
        |world| {
            rename(&gone, &name);
            world
        },
    );
}

#[test]
fn there_is_no_such_table() {
    survives(
        "there is no such table",
        filled(Sandbox::postgres()),
        |world| world.sql("alter table sync_log rename to mislaid"),
        |world| world.sql("alter table mislaid rename to sync_log"),
    );
}

#[test]
fn a_column_is_missing() {
    survives(
        "a column is missing",
        filled(Sandbox::postgres()),
        |world| world.sql("alter table sync_log rename duration_seconds to duration"),
        |world| world.sql("alter table sync_log rename duration to duration_seconds"),
    );
}

#[test]
fn a_column_has_another_type() {
    survives(
        "a column has another type",
        filled(Sandbox::postgres()),
        |world| world.sql("alter table sync_log alter records_processed type text using 'many'"),
        |world| world.sql("alter table sync_log alter records_processed type integer using 0"),
    );
}

#[test]
fn reading_is_not_allowed() {
    survives(
        "reading is not allowed",
        filled(Sandbox::postgres()),
        |world| world.sql("revoke select on sync_log from syncmon_ro"),
        |world| world.sql("grant select on sync_log to syncmon_ro"),
    );
}

#[test]
fn the_servers_time_limit_is_hit() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    let lock = RefCell::new(None);
    survives(
        "the server's time limit is hit",
        world,
        |world| {
            let held = hold(
                world.owner_url(),
                "begin; lock table sync_log in access exclusive mode",
            );
            lock.replace(Some(held));
            world.sql(&format!(
                "alter role syncmon_ro in database {name} set statement_timeout = '200ms'"
            ))
        },
        |world| {
            lock.replace(None);
            world
        },
    );
}

#[test]
fn no_connection_is_free() {
    let world = filled(Sandbox::postgres());
    let name = world.database();
    survives(
        "no connection is free",
        world,
        |world| world.sql(&format!("alter database {name} connection limit 0")),
        |world| world.sql(&format!("alter database {name} connection limit -1")),
    );
}

#[test]
fn the_sqlite_file_is_missing() {
    let world = filled(Sandbox::sqlite());
    let (file, elsewhere) = (world.path("sync.sqlite"), world.path("elsewhere"));
    survives(
        "SQLite: the file is missing",
        world,
        moves(&file, &elsewhere),
        moves(&elsewhere, &file),
    );
}

#[test]
fn the_sqlite_file_is_no_database() {
    let world = filled(Sandbox::sqlite());
    let (file, elsewhere) = (world.path("sync.sqlite"), world.path("elsewhere"));
    survives(
        "SQLite: the file is no database",
        world,
        |world| moves(&file, &elsewhere)(world).file("sync.sqlite", &"nonsense ".repeat(1000)),
        moves(&elsewhere, &file),
    );
}

#[test]
fn the_sqlite_file_may_not_be_read() {
    let world = filled(Sandbox::sqlite());
    let (file, elsewhere) = (world.path("sync.sqlite"), world.path("elsewhere"));
    survives(
        "SQLite: the path is that of a directory",
        world,
        |world| {
            let world = moves(&file, &elsewhere)(world);
            fs::create_dir(&file).unwrap();
            world
        },
        |world| {
            fs::remove_dir(&file).unwrap();
            moves(&elsewhere, &file)(world)
        },
    );
}

#[test]
fn the_sqlite_file_is_locked() {
    let lock = RefCell::new(None);
    survives(
        "SQLite: another program has locked the file",
        filled(Sandbox::sqlite()),
        |world| {
            lock.replace(Some(SqliteLock::on(&world)));
            world
        },
        |world| {
            lock.replace(None);
            world
        },
    );
}

#[test]
fn the_sqlite_tables_are_missing() {
    survives(
        "SQLite: there is no such table",
        filled(Sandbox::sqlite()),
        |world| world.sql("alter table sync_log rename to mislaid"),
        |world| world.sql("alter table mislaid rename to sync_log"),
    );
}

/// An outage of a day: nothing that was read stays true for ever.
#[test]
fn verdicts_go_on_ageing_and_recover_with_the_database() {
    let (world, gate) = behind_a_gate();
    assert_eq!(world.build_at(NOW).code, 0);
    gate.turn(Manner::Refusing);
    for (now, verdict, overall) in [
        ("2026-11-22T20:10:00Z", "green fresh", "yellow"),
        ("2026-11-22T20:20:00Z", "green fresh", "yellow"),
        ("2026-11-22T20:20:01Z", "yellow out_of_date", "yellow"),
        ("2026-11-22T21:22:04Z", "yellow out_of_date", "yellow"),
        ("2026-11-22T21:22:05Z", "yellow late", "yellow"),
        ("2026-11-23T07:22:04Z", "yellow late", "yellow"),
        ("2026-11-23T07:22:05Z", "red overdue", "red"),
        ("2026-11-23T20:00:00Z", "red overdue", "red"),
    ] {
        let away = world.build_at(now);
        let status = says_that_it_is_away(&world, &away);
        assert_eq!(status["generated_at"], now);
        assert_eq!(world.verdict("sales"), verdict, "{now}");
        assert_eq!(status["overall"]["health"], overall, "{now}");
    }

    gate.turn(Manner::Open);
    world.execute(
        "insert into sync_log (timestamp, entity_type, action, status, duration_seconds)
         values ('2026-11-23T20:00:00Z', 'sales', 'incremental_sync', 'completed', 1)",
    );
    assert_eq!(world.build_at("2026-11-23T20:10:00Z").code, 0);
    assert_eq!(world.verdict("sales"), "green fresh");
    assert_eq!(world.status()["overall"]["health"], "green");

    gate.turn(Manner::Refusing);
    assert_eq!(world.build_at("2026-11-23T20:15:00Z").code, 75);
    assert_eq!(
        world.status()["source"]["since"],
        "2026-11-23T20:15:00Z",
        "a new outage begins anew"
    );
}

#[test]
fn every_page_carries_the_banner() {
    let (world, gate) = behind_a_gate();
    world.build();
    gate.turn(Manner::Refusing);
    world.build_at(FIRST_FAILURE);
    for page in ["index.html", "entities/sales.html"] {
        let page = world.page(page);
        assert!(
            page.contains("The database could not be read since Sunday 22 November, 12:10"),
            "{page}"
        );
    }
}

#[test]
fn what_was_read_from_another_database_is_never_shown() {
    let (world, gate) = behind_a_gate();
    world.build();
    gate.turn(Manner::Refusing);
    let here = world.url().to_owned();
    let (port, name) = (gate.port.to_string(), world.database());
    let world = ["another port", "another name", "another host"]
        .into_iter()
        .fold(world, |world, what| {
            let elsewhere = match what {
                "another port" => here.replace(&port, &crate::cluster::free_port().to_string()),
                "another name" => here.replace(&name, &format!("{name}_2")),
                _ => here.replace("127.0.0.1", "localhost"),
            };
            let world = world.with_url(&elsewhere);
            assert_eq!(world.build_at(FIRST_FAILURE).code, 75);
            assert_eq!(world.status()["as_of"], Value::Null, "{what}");
            assert!(!world.page("index.html").contains("What you see was read"));
            world
        })
        .with_url(&here);
    world.build_at(SECOND_FAILURE);
    assert_eq!(world.status()["as_of"], "2026-11-22T20:05:00Z");
}

#[test]
fn another_role_of_the_same_database_is_no_other_database() {
    let (world, gate) = behind_a_gate();
    world.build();
    gate.turn(Manner::Refusing);
    let other = world.url().replace("syncmon_ro@", "postgres:s3cret@");
    let world = world.with_url(&other);
    let away = world.build_at(FIRST_FAILURE);
    says_that_it_is_away(&world, &away);
}

/// State files that a crash, a full disk, another version or an editor left behind.
#[test]
fn damaged_state_counts_as_none_and_is_healed_by_the_next_good_build() {
    let (world, gate) = behind_a_gate();
    world.build();
    let whole = fs::read_to_string(kept(&world, "snapshot")).unwrap();
    let half = whole[..whole.len() / 2].to_owned();
    let newer = whole.replace("\"format\":1", "\"format\":9999");
    let foreign = whole.replace("postgres 127.0.0.1", "postgres 127.0.0.9");
    assert!(newer != whole && foreign != whole);
    let damages: [(&str, Vec<u8>); 8] = [
        ("empty", Vec::new()),
        ("zeroed", vec![0; whole.len()]),
        ("cut off", half.into_bytes()),
        ("not UTF-8", vec![0xff; 5000]),
        ("other JSON", b"{\"format\":1}".to_vec()),
        ("deep JSON", vec![b'['; 200_000]),
        ("another version", newer.into_bytes()),
        ("another database", foreign.into_bytes()),
    ];
    for (what, content) in damages {
        fs::write(kept(&world, "snapshot"), &content).unwrap();
        gate.turn(Manner::Refusing);
        let away = world.build_at(FIRST_FAILURE);
        assert_eq!(away.code, 75, "{what}: {away:?}");
        assert_eq!(world.status()["as_of"], Value::Null, "{what}");

        fs::write(kept(&world, "outage"), &content).unwrap();
        let away = world.build_at(SECOND_FAILURE);
        assert_eq!(away.code, 75, "{what}: {away:?}");
        assert_eq!(
            world.status()["source"]["since"],
            "2026-11-22T20:30:00Z",
            "{what}"
        );

        gate.turn(Manner::Open);
        world.build();
        assert_eq!(
            fs::read_to_string(kept(&world, "snapshot")).unwrap(),
            whole,
            "{what}"
        );
        gate.turn(Manner::Refusing);
        says_that_it_is_away(&world, &world.build_at(FIRST_FAILURE));
        gate.turn(Manner::Open);
        world.build();
    }
}

/// A state file of this sandbox: there is one of each kind.
fn kept(world: &Sandbox, kind: &str) -> PathBuf {
    let entries = fs::read_dir(world.path("state")).unwrap();
    entries
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            name.starts_with(&format!("{kind}."))
        })
        .unwrap_or_else(|| panic!("no {kind} is kept"))
}

fn turn(gate: &Gate, manner: Manner) -> impl FnOnce(Sandbox) -> Sandbox {
    move |world| {
        gate.turn(manner);
        world
    }
}

fn moves(from: &PathBuf, to: &PathBuf) -> impl FnOnce(Sandbox) -> Sandbox {
    move |world| {
        fs::rename(from, to).unwrap();
        world
    }
}

/// An exclusive lock on an SQLite database, as a long import holds it.
struct SqliteLock {
    _runtime: tokio::runtime::Runtime,
    _connection: sqlx::SqliteConnection,
}

impl SqliteLock {
    fn on(world: &Sandbox) -> SqliteLock {
        use sqlx::Connection;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        let connection = runtime.block_on(async {
            let mut connection = sqlx::SqliteConnection::connect(world.url()).await.unwrap();
            sqlx::raw_sql("begin exclusive")
                .execute(&mut connection)
                .await
                .unwrap();
            connection
        });
        SqliteLock {
            _runtime: runtime,
            _connection: connection,
        }
    }
}
