//! What answers may say anything, in PostgreSQL's protocol and against it.

use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use crate::campaign::{Campaign, figure};
use crate::cluster::Cluster;
use crate::gate::{Gate, Manner};
use crate::golden;
use crate::impostor::{
    Impostor, NOTHING_OBSERVED, claiming, description, end, error, facts, hear, message, row,
    welcome,
};
use crate::outage::{
    FIRST_FAILURE, PASSWORD, SETTINGS, behind_a_gate, is_healed, is_healed_at, is_whole,
    never_tells_the_password, only_line, says_that_it_is_away, told,
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

    /// A build that this impostor answers.
    fn build_against(&self, impostor: &Impostor) -> Ended {
        self.gate.lead_to(impostor.port);
        let ended = self.world.build_at(FIRST_FAILURE);
        self.gate.lead_to(Cluster::shared().port);
        ended
    }

    /// The page stays, the message is the golden one, the next good build heals all of it.
    fn survives(&self, fault: &str, answer: impl Fn(&mut TcpStream) + Send + Sync + 'static) {
        let begun = std::time::Instant::now();
        let away = self.build_against(&Impostor::new(answer));
        assert!(
            begun.elapsed() < Duration::from_secs(6),
            "{fault}: {:?}",
            begun.elapsed()
        );
        assert_eq!(away.code, 75, "{fault}: {away:?}");
        says_that_it_is_away(&self.world, &away);
        assert_eq!(self.world.verdict("sales"), "green fresh", "{fault}");
        golden::section(
            "messages.txt",
            &format!("protocol: {fault}"),
            &told(&self.world, &away),
        );
        is_healed_at(&self.world, NOW);
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

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn messages_claim_lengths_that_cannot_be() {
    let haunted = Haunted::new();
    for length in [0, 1, 2, 3, 4] {
        haunted.survives_greeting(
            &format!("a greeting of length {length}"),
            claiming(b'R', length, &[0; 16]),
        );
        haunted.survives_answer(
            &format!("an answer of length {length}"),
            claiming(b'D', length, &[0; 16]),
        );
    }
    for (name, length) in [("negative", 0x8000_0000), ("largest", u32::MAX)] {
        haunted.survives_greeting(
            &format!("a greeting of {name} length"),
            claiming(b'R', length, &[0; 16]),
        );
        haunted.survives_answer(
            &format!("an answer of {name} length"),
            claiming(b'D', length, &[0; 16]),
        );
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
    let haunted = Haunted::new();
    for (name, kind) in [
        ("Kerberos", 2_u32),
        ("GSSAPI", 7),
        ("SSPI", 9),
        ("kind 99", 99),
    ] {
        haunted.survives_greeting(
            &format!("a demand for {name}"),
            message(b'R', &kind.to_be_bytes()),
        );
    }
    let sasl = |text: &[u8]| message(b'R', &joined(&[&10_u32.to_be_bytes(), text]));
    haunted.survives_greeting("a demand for an unknown SASL mechanism", sasl(b"MAGIC\0\0"));
    haunted.survives_greeting("a demand for no SASL mechanism", sasl(b""));
    haunted.survives_greeting(
        "a demand for MD5 without salt",
        message(b'R', &[0, 0, 0, 5, 1]),
    );
    for (fault, challenge) in [
        ("a SCRAM challenge without any part", ""),
        ("a SCRAM challenge that is cut short", "r=x,s"),
        (
            "a SCRAM challenge with more rounds than time",
            "r=x,s=c2FsdA==,i=4294967295",
        ),
    ] {
        haunted.survives(fault, move |client| {
            let _ = client.write_all(&message(b'R', b"\0\0\0\x0aSCRAM-SHA-256\0\0"));
            hear(client);
            let body = joined(&[&11_u32.to_be_bytes(), challenge.as_bytes()]);
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
    haunted.survives_greeting(
        "an error of a megabyte",
        refusal(&b"no entry ".repeat(120_000)),
    );
    haunted.survives_answer(
        "an error with escape sequences and a second line",
        refusal("no\x1b[2J\x1b]0;title\x07\r\nsyncmon: all is well\u{202e}\u{85}".as_bytes()),
    );
    haunted.survives_answer(
        "an error of unknown severity",
        error(&[(b'V', b"HARMLESS")]),
    );
    haunted.survives_answer("an error without an end", message(b'E', b"Mno end"));
}

/// A local server may demand the password as it is, and then say it to everybody.
#[test]
fn the_password_that_a_server_repeats_is_masked() {
    let haunted = Haunted::new();
    haunted.survives("the password, repeated", |client| {
        let _ = client.write_all(&message(b'R', &3_u32.to_be_bytes()));
        let password = hear(client).unwrap_or_default();
        assert_eq!(password, PASSWORD);
        let encoded = "S3cret%2fpass+w%40rd";
        let text = format!("no entry with {password} ({encoded})");
        let _ = client.write_all(&error(&[(b'C', b"28P01"), (b'M', text.as_bytes())]));
    });
}

#[test]
fn rows_are_not_what_was_asked_for() {
    let haunted = Haunted::new();
    let (description, facts) = (description(), facts());
    let rows = |rows: &[&[u8]]| joined(&[&description, &joined(rows), &end(rows.len())]);
    haunted.survives_answer("a row before its description", joined(&[&facts, &end(1)]));
    for count in [0, 1, 3] {
        let values = vec![Some("x"); count];
        haunted.survives_answer(&format!("a row of {count} columns"), rows(&[&row(&values)]));
    }
    haunted.survives_answer(
        "a value that is longer than its row",
        rows(&[&message(
            b'D',
            &[0, 2, 0xff, 0xff, 0xff, 0xff, 0, 0, 1, 0, b'{'],
        )]),
    );
    haunted.survives_answer(
        "NULL in place of what was observed",
        rows(&[&row(&[None, None])]),
    );
    haunted.survives_answer("no row", rows(&[]));
    haunted.survives_answer("no answer but the next question", message(b'Z', b"I"));
    haunted.survives_answer(
        "an empty question's answer",
        joined(&[&message(b'I', b""), &message(b'Z', b"I")]),
    );
    let sales = row(&[Some("sales"), Some(NOTHING_OBSERVED)]);
    haunted.survives_answer("no row about the database", rows(&[&sales]));
    haunted.survives_answer("two rows about the database", rows(&[&facts, &facts]));
    haunted.survives_answer("two rows of an entity", rows(&[&facts, &sales, &sales]));
    haunted.survives_answer(
        "fewer rows than were sent",
        joined(&[&description, &facts, &end(2)]),
    );
    haunted.survives_answer(
        "rows without an end",
        joined(&[&description, &facts, &message(b'Z', b"I")]),
    );
    let answer = rows(&[&facts]);
    let unfinished = answer.strip_suffix(&message(b'Z', b"I")[..]).unwrap();
    haunted.survives_answer("two answers in one", joined(&[unfinished, &answer]));
}

#[test]
fn json_is_valid_and_absurd() {
    let haunted = Haunted::new();
    let deep = "[".repeat(100_000);
    let wild =
        NOTHING_OBSERVED.replace("\"runs\": []", r#""runs": [{"id": 1e999, "started": -1}]"#);
    for (fault, entity, json) in [
        ("null as JSON", None, "null"),
        ("an empty object as JSON", None, "{}"),
        (
            "a clock beyond all numbers",
            None,
            r#"{"clock": 99999999999999999999, "hidden": []}"#,
        ),
        ("JSON without bottom", None, deep.as_str()),
        ("no JSON at all", Some("sales"), "sales are fine"),
        ("a list in place of an entity", Some("sales"), "[]"),
        ("a number beyond all numbers", Some("sales"), wild.as_str()),
        (
            "an entity with an odd name",
            Some("\x1b[2J\u{202e}all is well"),
            "{}",
        ),
    ] {
        let row = row(&[entity, Some(json)]);
        haunted.survives_answer(fault, joined(&[&description(), &row, &end(1)]));
    }
}

#[test]
fn answers_never_end() {
    let haunted = Haunted::new();
    let hasty = SETTINGS.replace("\"6s\"", "\"2s\"");
    let haunted = Haunted {
        world: haunted.world.file("syncmon.toml", &hasty),
        ..haunted
    };
    let notice = error(&[(b'S', b"NOTICE"), (b'C', b"00000"), (b'M', b"still here")]);
    let notices = claiming(b'N', 0, &[])[..1]
        .iter()
        .chain(&notice[1..])
        .copied()
        .collect::<Vec<u8>>()
        .repeat(1000);
    let flood = notices.clone();
    haunted.survives("notices for ever, in place of a greeting", move |client| {
        while client.write_all(&flood).is_ok() {}
    });
    haunted.survives("notices for ever, in place of an answer", move |client| {
        let _ = client.write_all(&welcome());
        hear(client);
        while client.write_all(&notices).is_ok() {}
    });
    haunted.survives("settings for ever", |client| {
        let mut number = 0_u64;
        while client
            .write_all(&message(
                b'S',
                format!("setting{}\0on\0", number % 1000).as_bytes(),
            ))
            .is_ok()
        {
            number += 1;
        }
    });
    haunted.survives("the same row for ever", |client| {
        let _ = client.write_all(&joined(&[&welcome(), &description(), &facts()]));
        hear(client);
        let row = row(&[Some("sales"), Some(NOTHING_OBSERVED)]);
        while client.write_all(&row).is_ok() {}
    });
}

/// What a process needs at most, by the system's account, in MiB; and how it ended.
fn measured(world: &Sandbox, limit: &str) -> (u64, Ended) {
    let script = "import resource, subprocess, sys\n\
                  ended = subprocess.run(sys.argv[1:])\n\
                  print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n\
                  sys.exit(ended.returncode if ended.returncode >= 0 else 128 - ended.returncode)";
    let command = world.command(&[
        "build",
        "--quiet",
        "--out",
        "site",
        "--state-dir",
        "state",
        "--now",
        FIRST_FAILURE,
    ]);
    let limited = format!("ulimit -v {limit}; exec \"$@\"");
    let wrapper = ["python3", "-c", script, "bash", "-c", &limited, "bash"];
    let ended = ended(&mut through(&wrapper, &command));
    let last = ended.stdout.lines().next_back().unwrap_or_default();
    (last.parse().unwrap_or_else(|_| panic!("{ended:?}")), ended)
}

#[test]
fn an_answer_of_any_size_needs_bounded_memory() {
    let haunted = Haunted::new();
    let claims = Impostor::new(|client| {
        let _ = client.write_all(&claiming(b'R', u32::MAX, &[0; 16]));
    });
    haunted.gate.lead_to(claims.port);
    let (claimed, away) = measured(&haunted.world, "unlimited");
    says_that_it_is_away(&haunted.world, &away);
    assert!(claimed < 100, "{claimed} MiB");

    let rows = Impostor::new(|client| {
        let _ = client.write_all(&joined(&[&welcome(), &description(), &facts()]));
        hear(client);
        for number in 0_u64.. {
            let name = number.to_string();
            if client
                .write_all(&row(&[Some(&name), Some(NOTHING_OBSERVED)]))
                .is_err()
            {
                return;
            }
        }
    });
    haunted.gate.lead_to(rows.port);
    let (endless, away) = measured(&haunted.world, "unlimited");
    says_that_it_is_away(&haunted.world, &away);
    assert!(endless < 200, "{endless} MiB");
    figure(&format!(
        "memory: a claimed message of 4 GiB {claimed} MiB, rows for ever {endless} MiB"
    ));
    haunted.gate.lead_to(Cluster::shared().port);
    is_healed(&haunted.world);
}

#[test]
fn random_bytes_come_in_place_of_the_servers() {
    let haunted = Haunted::new();
    let (world, gate) = (&haunted.world, &haunted.gate);
    gate.turn(Manner::Open);
    world.build();
    let whole = gate.answered().len();
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
        let away = world.build_at(FIRST_FAILURE);
        assert_eq!(away.code, 75, "seed {seed}: {away:?}");
        says_that_it_is_away(world, &away);
    }
    gate.turn(Manner::Open);
    is_healed(world);
    campaign.ends(&format!("{} answers", campaign.tally("answers")));
}

/// Bytes of the real answer, changed. What comes out may still be an answer; it is never half of one.
#[test]
fn some_bytes_of_the_answer_are_others() {
    let haunted = Haunted::new();
    let (world, gate) = (&haunted.world, &haunted.gate);
    gate.turn(Manner::Open);
    world.build();
    let answer = gate.answered();
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
        let ended = haunted.build_against(&impostor);
        never_tells_the_password(world, &ended);
        is_whole(&world.path("site"));
        match ended.code {
            0 => {
                assert_eq!(ended.stderr, "", "seed {seed}");
                step.count("readable", 1);
                world.build();
            }
            75 => {
                says_that_it_is_away(world, &ended);
                assert!(!only_line(&ended).contains(char::is_control));
            }
            _ => panic!("seed {seed}: {ended:?}"),
        }
    }
    gate.turn(Manner::Open);
    is_healed(world);
    let [answers, readable] = ["answers", "readable"].map(|what| campaign.tally(what));
    campaign.ends(&format!("{answers} answers, {readable} still readable"));
}
