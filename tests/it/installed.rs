//! The Debian package, from an empty machine to a page that stays up: installed, configured, run by its timer,
//! disturbed, upgraded, removed. All as the system's user, under the real restrictions of systemd.

use crate::machine::package;
use crate::server::{PASSWORD, Server, inside};

/// Another version of the package, with other files, and a configuration example that says something else.
const NEXT_VERSION: &str = r#"
    cd "$(mktemp -d)"
    dpkg-deb --raw-extract PACKAGE next
    sed -i 's/^Version: .*/Version: 99.0-1/' next/DEBIAN/control
    echo '# A line that is new.' >> next/etc/syncmon/syncmon.example.toml
    sed -i 's/^Description=Build the sync status page every.*/Description=The timer of version 99/' \
        next/usr/lib/systemd/system/syncmon.timer
    (cd next && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | xargs md5sum > DEBIAN/md5sums)
    dpkg-deb --root-owner-group --build next /var/cache/next.deb > /dev/null
"#;

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

#[test]
fn an_installed_package_waits_to_be_configured_and_says_what_is_missing() {
    let server = Server::installed();
    assert!(
        server.told.contains("does nothing yet. Next:"),
        "{}",
        server.told
    );
    let said = server.succeeds(&format!("apt-get install --reinstall --yes {}", inside()));
    assert!(
        !said.contains("does nothing yet"),
        "only the first time: {said}"
    );
    assert_eq!(
        words(
            &server
                .run("systemctl is-enabled syncmon.timer; systemctl is-active syncmon.timer")
                .text
        ),
        ["disabled", "inactive"]
    );
    assert_eq!(
        server.succeeds("stat --format '%n %a %U %G' /etc/syncmon/env /etc/syncmon/syncmon.example.toml /var/lib/syncmon"),
        "/etc/syncmon/env 600 root root\n\
         /etc/syncmon/syncmon.example.toml 644 root root\n\
         /var/lib/syncmon 755 syncmon syncmon\n"
    );

    assert_eq!(server.fails_to_build(), "exit-code 2");
    let log = server.succeeds("journalctl --output=cat --unit=syncmon.service");
    assert!(log.contains("no database: set DATABASE_URL"), "{log}");
    assert!(log.contains("/etc/syncmon/env"), "{log}");
    assert_eq!(server.run("ls -A /var/lib/syncmon").text, "");

    // The same is told once, something else at once.
    assert_eq!(server.fails_to_build(), "exit-code 2");
    assert_eq!(server.alarms().len(), 1, "{:?}", server.alarms());
    assert!(server.alarms()[0].contains("its configuration or connection string is refused"));
    server.succeeds("rm /etc/syncmon/env");
    assert_eq!(server.fails_to_build(), "exit-code 243");
    assert!(server.alarms()[1].contains("/etc/syncmon/env cannot be handed to it"));
}

#[test]
fn the_timer_builds_and_nginx_serves_behind_the_password() {
    let server = Server::configured();
    server.changes(
        "syncmon.timer",
        "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/3\nRandomizedDelaySec=0",
    );
    server.succeeds("systemctl enable --now syncmon.timer");
    let page = "/var/lib/syncmon/site/index.html";
    server.waits_until("the first page", &format!("test -e {page}"));
    server.succeeds(&format!("ls -di {page} > /tmp/first"));
    server.waits_until(
        "the next one",
        &format!("! ls -di {page} | cmp -s - /tmp/first"),
    );
    server.succeeds("systemctl disable --now syncmon.timer");
    assert_eq!(server.status()["source"]["state"], "ok");
    assert_eq!(server.alarms(), Vec::<String>::new());

    serve(&server);
    let code = "curl --silent --cacert /root/ca.crt --output /dev/null --write-out '%{http_code}'";
    for (request, expected) in [
        ("http://status.example.org/", "301"),
        ("https://status.example.org/", "401"),
        ("https://status.example.org/status.json", "401"),
        ("--user cfo:guessed https://status.example.org/", "401"),
        (
            "--user cfo:long-and-random https://status.example.org/",
            "200",
        ),
    ] {
        assert_eq!(
            server.succeeds(&format!("{code} {request}")),
            expected,
            "{request}"
        );
    }
    let refused = "curl --silent --cacert /root/ca.crt https://status.example.org/";
    assert!(
        server.succeeds(refused).contains("</html>"),
        "its own page for 401"
    );

    // As the service's user, with its environment: what the doctor says holds for the build.
    let looked = server.run(
        "systemd-run --quiet --pipe --wait --property=User=syncmon --property=StateDirectory=syncmon \
         --property=LoadCredential=syncmon.env:/etc/syncmon/env --setenv=SSL_CERT_FILE=/etc/syncmon/ca.crt \
         syncmon doctor --out /var/lib/syncmon/site --url https://status.example.org/",
    );
    for line in [
        "postgres db.example.org:5432/museum, from /run/credentials/",
        "identity checked (verify-full)",
        "syncmon_ro may read the sync tables, and write nothing",
        "/var/lib/syncmon/site, of user",
        "shut without the password",
    ] {
        let said = words(&looked.text).join(" ");
        assert!(said.contains(line), "no {line:?} in: {}", looked.text);
    }
}

/// nginx as it is shipped, with a certificate of the authority of [`Server::configured`].
fn serve(server: &Server) {
    server.succeeds(
        "certified status.example.org /etc/letsencrypt/live/status.example.org
         cp /etc/syncmon/ca.crt /root/ca.crt
         echo '127.0.0.1 status.example.org' >> /etc/hosts
         echo long-and-random | syncmon-set-password cfo
         cp /usr/share/syncmon/nginx/syncmon.conf /etc/nginx/conf.d/
         nginx -t && systemctl reload nginx",
    );
    // Until then the site that Debian brings answers.
    server.waits_until(
        "nginx has read its new configuration",
        "curl --silent --head http://status.example.org/ | grep -q '^HTTP/1.1 301'",
    );
}

#[test]
fn a_database_that_goes_away_is_said_on_the_page_and_told_once() {
    let server = Server::at_work();
    // A mail program that delivers to a file.
    server.succeeds(
        "printf '#!/bin/sh\\ncat >> /var/mail/root\\n' > /usr/sbin/sendmail && chmod 755 /usr/sbin/sendmail",
    );
    server.stops_the_database();
    for _ in 0..2 {
        assert_eq!(server.fails_to_build(), "exit-code 75");
    }
    assert_eq!(server.status()["source"]["state"], "unreachable");
    assert_eq!(server.alarms().len(), 1, "{:?}", server.alarms());
    let mail = server.succeeds("cat /var/mail/root");
    assert_eq!(mail.matches("Subject:").count(), 1, "{mail}");
    assert!(
        mail.contains("the database could not be read; the page says so"),
        "{mail}"
    );
    assert!(
        mail.contains("connection refused; check that the server runs"),
        "{mail}"
    );

    server.starts_the_database();
    server.builds();
    assert_eq!(server.status()["source"]["state"], "ok");
    // After an hour the same failure is news again.
    server.succeeds("touch --date='-61 minutes' /run/syncmon-failure/told");
    server.stops_the_database();
    assert_eq!(server.fails_to_build(), "exit-code 75");
    assert_eq!(server.alarms().len(), 2);
}

#[test]
fn a_full_disk_leaves_the_old_site_and_is_told() {
    let server = Server::configured();
    server.succeeds(
        "mount -t tmpfs -o size=16M,mode=755 tmpfs /var/lib/syncmon && chown syncmon: /var/lib/syncmon",
    );
    server.builds();
    let before = server.site();
    server.succeeds("dd if=/dev/zero of=/var/lib/syncmon/filler bs=64k 2> /dev/null || true");
    assert_eq!(server.fails_to_build(), "exit-code 1");
    assert_eq!(server.site(), before);
    let log = server.succeeds("journalctl --output=cat --unit=syncmon.service");
    assert!(log.contains("No space left on device"), "{log}");
    assert!(
        server.alarms()[0].contains("exit code 1"),
        "{:?}",
        server.alarms()
    );
    server.succeeds("rm /var/lib/syncmon/filler");
    server.builds();
    assert_ne!(server.site(), before);
}

#[test]
fn a_build_that_lasts_too_long_is_ended_and_the_site_stays_whole() {
    let server = Server::at_work();
    let before = server.site();
    server.stalls_the_database();
    for signal in ["SIGTERM", "SIGKILL"] {
        server.changes(
            "syncmon.service",
            &format!("[Service]\nTimeoutStartSec=2s\nKillSignal={signal}"),
        );
        assert!(server.fails_to_build().starts_with("timeout"), "{signal}");
        assert_eq!(server.site(), before, "{signal}");
    }
    assert!(server.alarms()[0].contains("the build did not end in time and was ended"));
    server.database_goes_on();
    server.changes_nothing_any_more("syncmon.service");
    server.builds();
    assert_eq!(server.status()["source"]["state"], "ok");
}

#[test]
fn an_upgrade_during_a_build_keeps_configuration_history_and_site() {
    let server = Server::at_work();
    server.succeeds(
        "echo 'title = \"The museum\"' >> /etc/syncmon/syncmon.toml
         systemctl enable --now syncmon.timer",
    );
    server.succeeds(&NEXT_VERSION.replace("PACKAGE", &inside()));
    let kept =
        "sha256sum /etc/syncmon/env /etc/syncmon/syncmon.toml /var/lib/syncmon/changes.*.json";
    let build = "systemctl show --value --property=MainPID --property=InvocationID syncmon.service";

    server.begins_a_build_that_waits();
    let before = server.succeeds(kept);
    let under_way = server.succeeds(build);
    let said = server.succeeds("apt-get install --yes /var/cache/next.deb < /dev/null");
    assert!(!said.contains("does nothing yet"), "{said}");
    assert_eq!(server.succeeds(build), under_way, "the build was disturbed");
    assert_eq!(server.succeeds(kept), before);
    server.database_goes_on();
    server.waits_until(
        "the build is done",
        "[ \"$(systemctl is-active syncmon.service)\" = inactive ]",
    );
    assert_eq!(server.status()["source"]["state"], "ok");
    let page = server.succeeds("cat /var/lib/syncmon/site/index.html");
    assert!(page.contains("The museum"), "{page}");

    assert_eq!(
        words(&server.succeeds(
            "dpkg-query --show --showformat '${Version} ' syncmon
             systemctl is-enabled syncmon.timer
             systemctl is-active syncmon.timer
             systemctl show --value --property=Description syncmon.timer
             tail -n 1 /etc/syncmon/syncmon.example.toml"
        ))
        .join(" "),
        "99.0-1 enabled active The timer of version 99 # A line that is new."
    );
    server.builds();
    assert_eq!(server.succeeds(kept), before);
}

#[test]
fn removal_keeps_all_and_purge_takes_all_but_databases() {
    let server = Server::at_work();
    server.succeeds(
        "systemctl enable --now syncmon.timer
         cp /etc/hostname /var/lib/syncmon/sync.sqlite
         mkdir /srv/canary && echo sings > /srv/canary/song
         ln -s /srv/canary /var/lib/syncmon/runs",
    );
    let before = server.site();
    server.succeeds("apt-get remove --yes syncmon");
    assert_eq!(server.site(), before);
    server.succeeds("test -s /etc/syncmon/env && test -s /etc/syncmon/syncmon.example.toml");
    let timers = server.succeeds("systemctl list-timers");
    assert!(!timers.contains("syncmon"), "{timers}");

    let said = server.succeeds("apt-get purge --yes syncmon");
    assert!(
        said.contains("/var/lib/syncmon holds files that are not syncmon's; they were left"),
        "{said}"
    );
    assert_eq!(server.succeeds("ls -A /var/lib/syncmon"), "sync.sqlite\n");
    assert_eq!(server.run("ls /etc/syncmon").text, "ca.crt\n");
    assert_eq!(server.succeeds("cat /srv/canary/song"), "sings\n");
    let traces = "find / -xdev \\( -path /proc -o -path /packages -o -path /tmp \\) -prune -o -name '*syncmon*' -print | sort";
    assert_eq!(
        words(&server.succeeds(traces)),
        ["/etc/syncmon", "/var/lib/syncmon"],
        "and nothing else"
    );
    let rows =
        server.succeeds("runuser -u postgres -- psql -Atc 'select count(*) from sync_log' museum");
    assert_eq!(rows, "1\n");
}

#[test]
fn no_secret_is_left_anywhere() {
    let server = Server::at_work();
    server.succeeds(&format!("echo '{PASSWORD}' > /run/password"));
    server.begins_a_build_that_waits();
    // The process list with arguments and environments, as root sees it.
    let everywhere =
        "grep -laF -f /run/password /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null";
    assert_eq!(server.run(everywhere).text, "");
    // Another user.
    let credential = "/run/credentials/syncmon.service/syncmon.env";
    assert!(
        server
            .succeeds(&format!("cat {credential}"))
            .contains(PASSWORD)
    );
    let denied = server.run(&format!(
        "runuser -u nobody -- cat {credential} /etc/syncmon/env"
    ));
    assert_eq!(
        denied.text.matches("Permission denied").count(),
        2,
        "{}",
        denied.text
    );
    server.succeeds(
        "systemctl kill --signal=SEGV syncmon.service
         systemctl show --property=LimitCORE syncmon.service | grep -x LimitCORE=0",
    );
    server.waits_until(
        "the build has crashed",
        "[ \"$(systemctl is-active syncmon.service)\" = failed ]",
    );
    server.database_goes_on();

    server.succeeds(
        "echo \"alter role syncmon_ro password 'another'\" | runuser -u postgres -- psql -q",
    );
    assert_eq!(server.fails_to_build(), "exit-code 75");
    server.succeeds("echo SYNCMON_WEBHOOK_URL='no-address' >> /etc/syncmon/env");
    server.run("systemctl start syncmon.service");
    let places = "journalctl --all --output=export | grep -acF -f /run/password
        systemctl show syncmon.service syncmon-failure.service | grep -cF -f /run/password
        grep -rlaF -f /run/password /var /run/log /run/syncmon-failure /tmp /usr/share/syncmon /usr/lib/systemd
        find / -xdev \\( -path /proc -o -path /sys \\) -prune -o -name 'core*' -type f -newer /etc/syncmon/env -print";
    assert_eq!(server.run(places).text, "0\n0\n");
}

#[test]
fn the_package_holds_what_it_should_and_nothing_else() {
    let holds = asked(&["--contents"]);
    for path in [
        "./usr/bin/syncmon",
        "./usr/lib/systemd/system/syncmon.service",
        "./usr/lib/systemd/system/syncmon.timer",
        "./usr/lib/systemd/system/syncmon-failure.service",
        "./usr/lib/syncmon/tell-failure",
        "./usr/share/man/man1/syncmon.1.gz",
        "./usr/share/man/man1/syncmon-build.1.gz",
        "./usr/share/man/man1/syncmon-templates-export.1.gz",
        "./usr/share/bash-completion/completions/syncmon",
        "./usr/share/fish/vendor_completions.d/syncmon.fish",
        "./usr/share/zsh/vendor-completions/_syncmon",
        "./usr/share/syncmon/nginx/syncmon.conf",
        "./usr/share/syncmon/errors/401.html",
        "./usr/sbin/syncmon-set-password",
        "./usr/share/syncmon/rollback.sql",
        "./usr/share/syncmon/env.example",
        "./etc/syncmon/syncmon.example.toml",
        "./usr/share/doc/syncmon/copyright",
        "./usr/share/doc/syncmon/changelog.gz",
        "./usr/share/doc/syncmon/examples/cron",
    ] {
        let there = holds.lines().any(|line| line.ends_with(path));
        assert!(there, "no {path} in:\n{holds}");
    }
    for line in holds.lines() {
        assert!(
            line.contains(" 0/0 ") || line.contains(" root/root "),
            "{line}"
        );
        let ours = ["./usr/", "./etc/syncmon/", "./etc/\n", "./\n"];
        let path = format!("{}\n", line.split_whitespace().last().unwrap());
        assert!(ours.iter().any(|place| path.starts_with(place)), "{line}");
    }
    assert_eq!(asked(&["--field"]).lines().next(), Some("Package: syncmon"));
    let version = concat!(env!("CARGO_PKG_VERSION"), "-1\n");
    assert_eq!(asked(&["--field", "Version"]), version);
}

/// What `dpkg-deb` says of the package: the word behind the question, if there is one, names a field.
fn asked(question: &[&str]) -> String {
    let output = std::process::Command::new("dpkg-deb")
        .arg(question[0])
        .arg(package())
        .args(&question[1..])
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_service_can_do_its_work_and_nothing_else() {
    let server = Server::at_work();
    let said =
        server.run("systemd-analyze verify syncmon.service syncmon.timer syncmon-failure.service");
    assert_eq!((said.code, &*said.text), (0, ""));
    let manual = server.succeeds("man syncmon-build | cat");
    assert!(manual.contains("Reads the database once"), "{manual}");
    // At most 1.5 of 10; root's own services have some 9.
    server.succeeds("systemd-analyze security --offline=true --threshold=15 syncmon.service");

    // The process itself, while it waits.
    server.begins_a_build_that_waits();
    let process = server.succeeds(
        "pid=$(systemctl show --value --property=MainPID syncmon.service)
         grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status
         stat --format %U /proc/$pid
         grep -E ' / ' /proc/$pid/mountinfo | head -n 1 | cut -d ' ' -f 6 | cut -d , -f 1",
    );
    assert_eq!(
        words(&process).join(" "),
        "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 syncmon ro"
    );
    server.database_goes_on();
    server.waits_until(
        "it is done",
        "[ \"$(systemctl is-active syncmon.service)\" = inactive ]",
    );

    // Somebody else in its place: each line is something that must not work.
    server.succeeds(
        r#"cat > /usr/local/bin/intruder <<'END'
#!/bin/bash
does() { "$@" && echo "INTRUDED: $*"; }
does touch /usr/x
does touch /etc/syncmon/x
does touch /var/lib/x
touch /var/tmp/seen-by-others
does ls /root
does ls /home/*
does cat /etc/shadow
does cat /etc/syncmon/env
does cat /proc/1/cmdline
does cat /proc/meminfo
does unshare --mount true
does mount -t tmpfs tmpfs /tmp
does mknod /var/lib/syncmon/device b 8 0
does chown nobody /var/lib/syncmon/site
does chmod u+s /var/lib/syncmon/mine
does hostname intruded
does perl -e 'socket(my $s, 17, 3, 768) or die "raw socket: $!"'
does perl -e 'setpriority(0, 0, -5) or die "priority: $!"'
touch /var/lib/syncmon/mine && echo "tried all of it"
exit 0
END
        chmod 755 /usr/local/bin/intruder
        install -o syncmon /dev/null /var/lib/syncmon/mine"#,
    );
    server.changes(
        "syncmon.service",
        "[Service]\nExecStart=\nExecStart=/usr/local/bin/intruder",
    );
    server.builds();
    let did = server.succeeds(
        "journalctl --output=cat --unit=syncmon.service
         test ! -e /var/tmp/seen-by-others",
    );
    assert!(
        did.contains("tried all of it") && !did.contains("INTRUDED"),
        "{did}"
    );
    assert!(did.contains("Read-only file system"), "{did}");
}

#[test]
fn a_command_that_is_to_be_told_runs_under_the_restrictions_too() {
    let server = Server::at_work();
    server.succeeds(
        r#"cat > /usr/local/bin/tell <<'END'
#!/bin/sh
{ cat; env; } > /var/lib/syncmon/told
END
        chmod 755 /usr/local/bin/tell
        printf '[alerts.command]\nprogram = "/usr/local/bin/tell"\n' > /etc/syncmon/syncmon.toml"#,
    );
    server.builds();
    server.stops_the_database();
    assert_eq!(server.fails_to_build(), "exit-code 75");
    let told = server.succeeds("cat /var/lib/syncmon/told");
    assert!(told.contains("SYNCMON_ALERT_SUBJECT="), "{told}");
    assert!(
        !told.contains(PASSWORD) && !told.contains("CREDENTIALS_DIRECTORY"),
        "{told}"
    );
}

#[test]
fn the_line_for_cron_builds_one_at_a_time_and_tells_the_log() {
    let server = Server::configured();
    server.succeeds("chgrp syncmon /etc/syncmon/env && chmod 640 /etc/syncmon/env");
    // What cron does with the file: its variables, and the command behind the five fields and the user.
    server.succeeds(
        r"file=/usr/share/doc/syncmon/examples/cron
          grep -E '^(SYNCMON_OUT|STATE_DIRECTORY)=' $file > /tmp/variables
          sed -nE 's/^\*\/5 \* \* \* \* syncmon //p' $file > /tmp/command
          test $(wc -l < /tmp/command) = 1 && chmod 644 /tmp/command /tmp/variables",
    );
    let by_cron = "runuser -u syncmon -- env -i HOME=/var/lib/syncmon LOGNAME=syncmon SHELL=/bin/sh \
                   PATH=/usr/bin:/bin $(cat /tmp/variables) sh -c \"$(cat /tmp/command)\"";
    assert_eq!(server.succeeds(by_cron), "", "cron would mail this");
    assert_eq!(server.status()["source"]["state"], "ok");

    server.stalls_the_database();
    server.succeeds(&format!("({by_cron}) > /tmp/first 2>&1 &"));
    server.waits_until("the first is at work", "grep -lx syncmon /proc/[0-9]*/comm");
    let began = std::time::Instant::now();
    assert_eq!(server.succeeds(by_cron), "");
    assert!(began.elapsed().as_secs() < 8, "it waited for the other");
    server.waits_until("the first is done", "! grep -lx syncmon /proc/[0-9]*/comm");
    server.database_goes_on();
    let log = server.succeeds("journalctl --output=cat --identifier=syncmon");
    assert_eq!(
        log.matches("the database could not be read").count(),
        1,
        "{log}"
    );
    assert!(!log.contains("another build is at work"), "{log}");
    assert_eq!(server.succeeds("cat /tmp/first"), "");
}
