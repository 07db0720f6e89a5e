//! What answers may say anything, in PostgreSQL's protocol and against it.

use std::io::Write;
use std::net::TcpStream;

use crate::campaign::{Campaign, figure};
use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::impostor::{
    Impostor, NOTHING_OBSERVED, claiming, description, end, error, facts, hear, message, row,
    welcome,
};
use crate::outage::{
    CONNECTS_IN_HASTE, FIRST_FAILURE, HEALED, READS_IN_HASTE, behind_a_gate, building, is_away,
    is_healed, is_whole, never_tells_the_password, says_that_it_is_away, told, within,
};
use crate::sandbox::{Ended, NOW, Sandbox};
use crate::wrapped::{ended, through};

/// A database that was read once, and behind whose port somebody else may answer.
struct Haunted {
    world: Sandbox,
    gate: Gate,
}

impl Haunted {
    fn new() -> Haunted {
        let (world, gate) = behind_a_gate();
        world.build();
        Haunted { world, gate }
    }

    fn within(self, limits: [u32; 2]) -> Haunted {
        let world = within(self.world, limits);
        Haunted { world, ..self }
    }

    /// What the real server answers.
    fn answer(&self) -> Vec<u8> {
        self.gate.turn(Manner::Open);
        self.world.build();
        self.gate.answered()
    }

    /// What comes of it while this impostor answers.
    fn against<T>(&self, impostor: &Impostor, build: impl FnOnce(&Sandbox) -> T) -> T {
        self.gate.lead_to(impostor.port);
        let come = build(&self.world);
        self.gate.lead_to(Cluster::shared().port);
        come
    }

    /// The page stays, the message is the golden one, the next good build heals all of it.
    fn survives(&self, fault: &str, answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) {
        println!("fault: {fault}");
        let impostor = Impostor::new(answer);
        let away = self.against(&impostor, |world| is_away(world, FIRST_FAILURE));
        assert_eq!(self.world.verdict("sales"), "green fresh", "{fault}");
        let title = format!("protocol: {fault}");
        golden::section("messages.txt", &title, &told(&self.world, &away));
        is_healed(&self.world, NOW);
    }

    /// The same, with these bytes in place of a greeting.
    fn survives_greeting(&self, fault: &str, bytes: Vec<u8>) {
        self.survives(fault, move |client| {
            let _ = client.write_all(&bytes);
        });
    }

    /// The same, with these bytes in place of an answer.
    fn survives_answer(&self, fault: &str, bytes: Vec<u8>) {
        self.survives(fault, move |client| {
            let _ = client.write_all(&welcome());
            hear(client);
            let _ = client.write_all(&bytes);
        });
    }
}

#[test]
fn messages_claim_lengths_that_cannot_be() {
    let haunted = Haunted::new();
    for (name, length) in [
        ("length 0", 0),
        ("length 1", 1),
        ("length 2", 2),
        ("length 3", 3),
        ("length 4", 4),
        ("negative length", 0x8000_0000),
        ("largest length", u32::MAX),
    ] {
        let greeting = format!("a greeting of {name}");
        let answer = format!("an answer of {name}");
        haunted.survives_greeting(&greeting, claiming(b'R', length, &[0; 16]));
        haunted.survives_answer(&answer, claiming(b'D', length, &[0; 16]));
    }
}

#[test]
fn messages_are_of_unknown_kinds() {
    let haunted = Haunted::new();
    haunted.survives_greeting("a greeting of an unknown kind", message(b'?', &[0; 16]));
    haunted.survives_greeting("rows in place of a greeting", facts());
    haunted.survives_answer("an answer of an unknown kind", message(b'?', &[0; 16]));
    haunted.survives_answer("a greeting in place of an answer", message(b'R', &[0; 4]));
    haunted.survives_answer("a copy in place of an answer", message(b'H', &[0; 3]));
}

#[test]
fn the_role_is_asked_for_what_it_does_not_have() {
    let haunted = Haunted::new().within(CONNECTS_IN_HASTE);
    let sasl = |text: &[u8]| [&b"\0\0\0\x0a"[..], text].concat();
    for (fault, demand) in [
        ("a demand for Kerberos", vec![0, 0, 0, 2]),
        ("a demand for GSSAPI", vec![0, 0, 0, 7]),
        ("a demand for SSPI", vec![0, 0, 0, 9]),
        ("a demand for kind 99", vec![0, 0, 0, 99]),
        ("a demand for an unknown SASL mechanism", sasl(b"MAGIC\0\0")),
        ("a demand for no SASL mechanism", sasl(b"")),
        ("a demand for MD5 without salt", vec![0, 0, 0, 5, 1]),
    ] {
        haunted.survives_greeting(fault, message(b'R', &demand));
    }
    for (fault, challenge) in [
        ("without any part", ""),
        ("that is cut short", "r=x,s"),
        ("with more rounds than time", "r=x,s=c2FsdA==,i=4294967295"),
    ] {
        haunted.survives(&format!("a SCRAM challenge {fault}"), move |client| {
            let _ = client.write_all(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"));
            hear(client);
            let body = [&b"\0\0\0\x0b"[..], challenge.as_bytes()].concat();
            let _ = client.write_all(&message(b'R', &body));
        });
    }
}

#[test]
fn errors_are_of_every_kind() {
    let haunted = Haunted::new();
    let refusal = |text: &[u8]| error(&[(b'S', b"FATAL"), (b'C', b"28000"), (b'M', text)]);
    haunted.survives_greeting("an error without fields", error(&[]));
    haunted.survives_greeting("an error that is not UTF-8", refusal(b"no \xff\xfe entry"));
    let megabyte = b"no entry ".repeat(120_000);
    haunted.survives_greeting("an error of a megabyte", refusal(&megabyte));
    let escapes = "no\x1b[2J\x1b]0;title\x07\r\nsyncmon: all is well\u{202e}\u{85}";
    haunted.survives_answer(
        "an error with escape sequences and a second line",
        refusal(escapes.as_bytes()),
    );
    let severity = error(&[(b'V', b"HARMLESS")]);
    haunted.survives_answer("an error of unknown severity", severity);
    haunted.survives_answer("an error without an end", message(b'E', b"Mno end"));
}

#[test]
fn rows_are_not_what_was_asked_for() {
    let haunted = Haunted::new();
    let (head, facts, next) = (description(), facts(), message(b'Z', b"I"));
    let all = |parts: &[&[u8]]| parts.concat();
    let rows = |rows: &[&[u8]]| all(&[&head, &rows.concat(), &end(rows.len())]);
    for count in [0, 1, 3] {
        let row = row(&vec![Some("x"); count]);
        haunted.survives_answer(&format!("a row of {count} columns"), rows(&[&row]));
    }
    let longer = message(b'D', &[0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0, b'{']);
    let (null, empty) = (row(&[None, None]), message(b'I', b""));
    let sales = row(&[Some("sales"), Some(NOTHING_OBSERVED)]);
    let answer = rows(&[&facts]);
    let unfinished = answer.strip_suffix(&next[..]).unwrap();
    for (fault, bytes) in [
        ("a row before its description", all(&[&facts, &end(1)])),
        ("a value that is longer than its row", rows(&[&longer])),
        ("NULL in place of what was observed", rows(&[&null])),
        ("no row", rows(&[])),
        ("no answer but the next question", next.clone()),
        ("an empty question's answer", all(&[&empty, &next])),
        ("no row about the database", rows(&[&sales])),
        ("two rows about the database", rows(&[&facts, &facts])),
        ("two rows of an entity", rows(&[&facts, &sales, &sales])),
        ("fewer rows than were sent", all(&[&head, &facts, &end(2)])),
        ("rows without an end", all(&[&head, &facts, &next])),
        ("two answers in one", all(&[unfinished, &answer])),
    ] {
        haunted.survives_answer(fault, bytes);
    }
}

#[test]
fn json_is_valid_and_absurd() {
    let haunted = Haunted::new();
    let deep = "[".repeat(100_000);
    let run = r#""runs": [{"id": 1e999, "started": -1}]"#;
    let wild = NOTHING_OBSERVED.replace("\"runs\": []", run);
    let clock = r#"{"clock": 99999999999999999999, "hidden": []}"#;
    let odd_name = "\x1b[2J\u{202e}all is well";
    for (fault, entity, json) in [
        ("null as JSON", None, "null"),
        ("an empty object as JSON", None, "{}"),
        ("a clock beyond all numbers", None, clock),
        ("JSON without bottom", None, &*deep),
        ("no JSON at all", Some("sales"), "sales are fine"),
        ("a list in place of an entity", Some("sales"), "[]"),
        ("a number beyond all numbers", Some("sales"), &*wild),
        ("an entity with an odd name", Some(odd_name), "{}"),
    ] {
        let row = row(&[entity, Some(json)]);
        haunted.survives_answer(fault, [description(), row, end(1)].concat());
    }
}

#[test]
fn answers_never_end() {
    let notice = error(&[(b'S', b"NOTICE"), (b'C', b"00000"), (b'M', b"still here")]);
    let notices = [&b"N"[..], &notice[1..]].concat().repeat(1000);
    let flood = notices.clone();
    let haunted = Haunted::new().within(CONNECTS_IN_HASTE);
    haunted.survives("notices for ever, in place of a greeting", move |client| {
        while client.write_all(&flood).is_ok() {}
    });
    haunted.survives("settings for ever", |client| {
        for number in (0..1000).cycle() {
            let setting = format!("setting{number}\0on\0");
            if client
                .write_all(&message(b'S', setting.as_bytes()))
                .is_err()
            {
                return;
            }
        }
    });
    let haunted = haunted.within(READS_IN_HASTE);
    haunted.survives("notices for ever, in place of an answer", move |client| {
        let _ = client.write_all(&welcome());
        hear(client);
        while client.write_all(&notices).is_ok() {}
    });
    haunted.survives("the same row for ever", |client| {
        let _ = client.write_all(&[welcome(), description(), facts()].concat());
        hear(client);
        let row = row(&[Some("sales"), Some(NOTHING_OBSERVED)]);
        while client.write_all(&row).is_ok() {}
    });
}

/// What a process needs at most, by the system's account, in MiB; and how it ended.
fn measured(world: &Sandbox) -> (u64, Ended) {
    let script = "import resource, subprocess, sys\n\
                  ended = subprocess.run(sys.argv[1:])\n\
                  print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n\
                  sys.exit(ended.returncode if ended.returncode >= 0 else 128 - ended.returncode)";
    let build = world.command(&building(FIRST_FAILURE));
    let ended = ended(&mut through(&["python3", "-c", script], &build));
    let last = ended.stdout.lines().next_back().unwrap_or_default();
    (last.parse().unwrap_or_else(|_| panic!("{ended:?}")), ended)
}

#[test]
fn an_answer_of_any_size_needs_bounded_memory() {
    let haunted = Haunted::new();
    let claims = Impostor::new(|client| {
        let _ = client.write_all(&claiming(b'R', u32::MAX, &[0; 16]));
    });
    let (claimed, away) = haunted.against(&claims, measured);
    says_that_it_is_away(&haunted.world, &away);
    assert!(claimed < 100, "{claimed} MiB");

    let haunted = haunted.within(READS_IN_HASTE);
    let rows = Impostor::new(|client| {
        let _ = client.write_all(&[welcome(), description(), facts()].concat());
        hear(client);
        for number in 0_u64.. {
            let row = row(&[Some(&number.to_string()), Some(NOTHING_OBSERVED)]);
            if client.write_all(&row).is_err() {
                return;
            }
        }
    });
    let (endless, away) = haunted.against(&rows, measured);
    says_that_it_is_away(&haunted.world, &away);
    assert!(endless < 200, "{endless} MiB");
    figure(&format!(
        "memory: a claimed message of 4 GiB {claimed} MiB, rows for ever {endless} MiB"
    ));
    is_healed(&haunted.world, HEALED);
}

#[test]
fn random_bytes_come_in_place_of_the_servers() {
    let haunted = Haunted::new();
    let (world, gate) = (&haunted.world, &haunted.gate);
    let whole = haunted.answer().len();
    let campaign = Campaign::named("protocol", "random bytes for the server's");
    for step in campaign.steps(100, 3000) {
        let (seed, mut random) = (step.number as u64, step.random());
        step.count("answers", 1);
        // At once, at the greeting, or anywhere.
        let bytes = match seed % 4 {
            0 => 0,
            1 => 1,
            _ => random.usize(2..whole),
        };
        gate.turn(Manner::GarbageAfter { bytes, seed });
        println!("seed {seed}");
        is_away(world, FIRST_FAILURE);
    }
    gate.turn(Manner::Open);
    is_healed(world, HEALED);
    campaign.ends(&format!("{} answers", campaign.tally("answers")));
}

/// Bytes of the real answer, changed. What comes out may still be an answer; it is never half of one.
#[test]
fn some_bytes_of_the_answer_are_others() {
    let haunted = Haunted::new();
    let world = &haunted.world;
    let answer = haunted.answer();
    let campaign = Campaign::named("protocol", "changed bytes of the real answer");
    for step in campaign.steps(100, 3000) {
        let (seed, mut random) = (step.number, step.random());
        step.count("answers", 1);
        let mut changed = answer[1..].to_vec();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(..changed.len());
            changed[at] = random.u8(..);
        }
        let impostor = Impostor::new(move |client| {
            let _ = client.write_all(&changed);
        });
        let ended = haunted.against(&impostor, |world| world.build_at(FIRST_FAILURE));
        never_tells_the_password(world, &ended);
        is_whole(&world.path("site"));
        match ended.code {
            0 => {
                assert_eq!(ended.stderr, "", "seed {seed}");
                step.count("readable", 1);
                world.build();
            }
            75 => drop(says_that_it_is_away(world, &ended)),
            _ => panic!("seed {seed}: {ended:?}"),
        }
    }
    is_healed(world, HEALED);
    let [answers, readable] = ["answers", "readable"].map(|what| campaign.tally(what));
    campaign.ends(&format!("{answers} answers, {readable} still readable"));
}
