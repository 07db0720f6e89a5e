//! The Debian package from its installation to its removal, under the real restrictions of systemd.

use std::process::Command;

use crate::golden::{Told, cases};
use crate::machine::package;
use crate::server::{PASSWORD, Server, inside};
use crate::wrapped::ended;

/// Each line of it tries something that must not work.
const INTRUDER: &str = include_str!("server/intruder");

/// Another version of the package, with other files, and a configuration example that says something else.
const NEXT_VERSION: &str = include_str!("server/next-version");

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One machine, from the installation to the removal.
#[test]
fn a_package_waits_to_be_configured_works_and_is_removed_but_for_what_is_not_its_own() {
    let server = Server::installed();
    it_waits_to_be_configured_and_says_what_is_missing(&server);
    server.is_configured();
    the_timer_builds(&server);
    nginx_serves_behind_the_password(&server);
    the_line_for_cron_builds_one_at_a_time_and_tells_the_log(&server);
    removal_keeps_all_and_purge_takes_all_but_databases(&server);
}

fn it_waits_to_be_configured_and_says_what_is_missing(server: &Server) {
    server.told.has("does nothing yet. Next:");
    let again = format!("apt-get install --reinstall --yes {}", inside());
    server.succeeds(&again).lacks("does nothing yet");
    let timer = server.run("systemctl is-enabled syncmon.timer; systemctl is-active syncmon.timer");
    assert_eq!(words(&timer.stdout), "disabled inactive");
    assert_eq!(
        server.succeeds("stat --format '%n %a %U %G' /etc/syncmon/env /etc/syncmon/syncmon.example.toml /var/lib/syncmon"),
        "/etc/syncmon/env 600 root root\n\
         /etc/syncmon/syncmon.example.toml 644 root root\n\
         /var/lib/syncmon 755 syncmon syncmon\n"
    );

    assert_eq!(server.fails_to_build(), "exit-code 2");
    let log = server.succeeds("journalctl --output=cat --unit=syncmon.service");
    log.has("no database: set DATABASE_URL")
        .has("/etc/syncmon/env");
    assert_eq!(server.run("ls -A /var/lib/syncmon").stdout, "");

    // The same is told once, something else at once.
    assert_eq!(server.fails_to_build(), "exit-code 2");
    server.told_once("its configuration or connection string is refused");
    server.succeeds("mv /etc/syncmon/env /root/env");
    assert_eq!(server.fails_to_build(), "exit-code 243");
    server.told_once("/etc/syncmon/env cannot be handed to it");
    server.succeeds("mv /root/env /etc/syncmon/env");
}

fn the_timer_builds(server: &Server) {
    let often = "[Timer]\nOnCalendar=\nOnCalendar=*:*:0/3\nRandomizedDelaySec=0";
    server.changes("syncmon.timer", often);
    server.succeeds("systemctl enable --now syncmon.timer");
    let page = "/var/lib/syncmon/site/index.html";
    server.waits_until("the first page", &format!("test -e {page}"));
    server.succeeds(&format!("ls -di {page} > /tmp/first"));
    let another = format!("! ls -di {page} | cmp -s - /tmp/first");
    server.waits_until("the next one", &another);
    server.succeeds("systemctl disable --now syncmon.timer");
    server.changes_nothing_any_more("syncmon.timer");
    server.waits_until_no_build_is_at_work();
    assert_eq!(server.status()["source"]["state"], "ok");
    assert_eq!(server.alarms(), "");
}

/// nginx as it is shipped, with a certificate of the authority of [`Server::is_configured`].
fn nginx_serves_behind_the_password(server: &Server) {
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
    let curl = "curl --silent --cacert /root/ca.crt";
    for [expected, request] in cases(
        "301 | http://status.example.org/
         401 | https://status.example.org/
         401 | https://status.example.org/status.json
         401 | --user cfo:guessed https://status.example.org/
         200 | --user cfo:long-and-random https://status.example.org",
    ) {
        let status = format!("{curl} --output /dev/null --write-out '%{{http_code}}' {request}");
        assert_eq!(server.succeeds(&status), expected, "{request}");
    }
    let refused = server.succeeds(&format!("{curl} https://status.example.org/"));
    refused.has("</html>");

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
        words(&looked.stdout).has(line);
    }
    server.succeeds(
        "rm /etc/nginx/conf.d/syncmon.conf /etc/nginx/syncmon.htpasswd && systemctl reload nginx",
    );
}

fn the_line_for_cron_builds_one_at_a_time_and_tells_the_log(server: &Server) {
    // What cron does with the file: its variables, and the command behind the five fields and the user.
    server.succeeds(
        r"chgrp syncmon /etc/syncmon/env && chmod 640 /etc/syncmon/env
          file=/usr/share/doc/syncmon/examples/cron
          grep -E '^(SYNCMON_OUT|STATE_DIRECTORY)=' $file > /tmp/variables
          sed -nE 's/^\*\/5 \* \* \* \* syncmon //p' $file > /tmp/command
          test $(wc -l < /tmp/command) = 1 && chmod 644 /tmp/command /tmp/variables",
    );
    let by_cron = "runuser -u syncmon -- env -i HOME=/var/lib/syncmon LOGNAME=syncmon SHELL=/bin/sh \
                   PATH=/usr/bin:/bin $(cat /tmp/variables) sh -c \"$(cat /tmp/command)\"";
    assert_eq!(server.succeeds(by_cron), "", "cron would mail this");
    assert_eq!(server.status()["source"]["state"], "ok");

    let patient = "printf 'connect_timeout = \"100s\"\\nbuild_timeout = \"110s\"\\n'";
    server.succeeds(&format!("{patient} > /var/lib/syncmon/syncmon.toml"));
    server.stalls_the_database();
    server.succeeds(&format!("({by_cron}) > /tmp/first 2>&1 &"));
    let at_work = "grep -lx syncmon /proc/[0-9]*/comm";
    server.waits_until("the first is at work", at_work);
    let first = server.succeeds(at_work);
    assert_eq!(server.succeeds(by_cron), "");
    let still = server.succeeds(at_work);
    assert_eq!(still, first, "the second waited for the first");
    server.database_goes_on();
    server.waits_until("the first is done", &format!("! {at_work}"));
    server.stops_the_database();
    assert_eq!(server.run(by_cron).stdout, "");
    server.starts_the_database();
    let log = server.succeeds("journalctl --output=cat --identifier=syncmon");
    let said = log.matches("the database could not be read").count();
    assert_eq!(said, 1, "{log}");
    log.lacks("another build is at work");
    assert_eq!(server.succeeds("cat /tmp/first"), "");
    server.succeeds("rm /var/lib/syncmon/syncmon.toml");
}

fn removal_keeps_all_and_purge_takes_all_but_databases(server: &Server) {
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
    server.succeeds("systemctl list-timers").lacks("syncmon");

    let said = server.succeeds("apt-get purge --yes syncmon");
    said.has("/var/lib/syncmon holds files that are not syncmon's; they were left");
    assert_eq!(server.succeeds("ls -A /var/lib/syncmon"), "sync.sqlite\n");
    assert_eq!(server.run("ls /etc/syncmon").stdout, "ca.crt\n");
    assert_eq!(server.succeeds("cat /srv/canary/song"), "sings\n");
    let traces = "find / -xdev \\( -path /proc -o -path /packages -o -path /tmp -o -path /var/log/nginx \\) -prune -o -name '*syncmon*' -print | sort";
    let traces = words(&server.succeeds(traces));
    assert_eq!(traces, "/etc/syncmon /var/lib/syncmon", "and nothing else");
    let count = "runuser -u postgres -- psql -Atc 'select count(*) from sync_log' museum";
    assert_eq!(server.succeeds(count), "1\n");
}

/// One machine on which everything fails, one after the other.
#[test]
fn what_fails_is_told_once_and_leaves_a_page_that_says_so_or_the_old_one() {
    let server = Server::configured();
    server.builds();
    a_database_that_goes_away_is_said_on_the_page_and_told_once(&server);
    a_build_that_lasts_too_long_is_ended_and_the_site_stays_whole(&server);
    a_full_disk_leaves_the_old_site_and_is_told(&server);
    a_command_that_is_to_be_told_runs_under_the_restrictions_too(&server);
}

fn a_database_that_goes_away_is_said_on_the_page_and_told_once(server: &Server) {
    // A mail program that delivers to a file.
    server.succeeds(
        "printf '#!/bin/sh\\ncat >> /var/mail/root\\n' > /usr/sbin/sendmail && chmod 755 /usr/sbin/sendmail",
    );
    server.stops_the_database();
    for _ in 0..2 {
        assert_eq!(server.fails_to_build(), "exit-code 75");
    }
    assert_eq!(server.status()["source"]["state"], "unreachable");
    server.told_once("the database could not be read; the page says so");
    let mail = server.succeeds("cat /var/mail/root");
    assert_eq!(mail.matches("Subject:").count(), 1, "{mail}");
    mail.has("the database could not be read; the page says so");
    mail.has("connection refused; check that the server runs");

    server.starts_the_database();
    server.builds();
    assert_eq!(server.status()["source"]["state"], "ok");
    // After an hour the same failure is news again.
    server.succeeds("touch --date='-61 minutes' /run/syncmon-failure/told");
    server.stops_the_database();
    assert_eq!(server.fails_to_build(), "exit-code 75");
    server.told_once("the database could not be read; the page says so");
    server.starts_the_database();
    server.builds();
}

fn a_build_that_lasts_too_long_is_ended_and_the_site_stays_whole(server: &Server) {
    let before = server.site();
    server.stalls_the_database();
    for signal in ["SIGTERM", "SIGKILL"] {
        let settings = format!("[Service]\nTimeoutStartSec=2s\nKillSignal={signal}");
        server.changes("syncmon.service", &settings);
        assert!(server.fails_to_build().starts_with("timeout"), "{signal}");
        assert_eq!(server.site(), before, "{signal}");
    }
    server
        .alarms()
        .has("the build did not end in time and was ended");
    server.database_goes_on();
    server.changes_nothing_any_more("syncmon.service");
    server.builds();
    assert_eq!(server.status()["source"]["state"], "ok");
}

fn a_full_disk_leaves_the_old_site_and_is_told(server: &Server) {
    server.succeeds(
        "mount -t tmpfs -o size=16M,mode=755 tmpfs /var/lib/syncmon && chown syncmon: /var/lib/syncmon",
    );
    server.builds();
    let before = server.site();
    server.succeeds("dd if=/dev/zero of=/var/lib/syncmon/filler bs=64k 2> /dev/null || true");
    assert_eq!(server.fails_to_build(), "exit-code 1");
    assert_eq!(server.site(), before);
    let log = server.succeeds("journalctl --output=cat --unit=syncmon.service");
    log.has("No space left on device");
    server.told_once("exit code 1");
    server.succeeds("rm /var/lib/syncmon/filler");
    server.builds();
    assert_ne!(server.site(), before);
}

fn a_command_that_is_to_be_told_runs_under_the_restrictions_too(server: &Server) {
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
    told.has("SYNCMON_ALERT_SUBJECT=");
    told.lacks(PASSWORD).lacks("CREDENTIALS_DIRECTORY");
}

/// One machine whose builds wait for the database, so that it can be seen what they may do and what is around them.
#[test]
fn a_build_at_work_may_do_nothing_else_shows_no_secret_and_survives_an_upgrade() {
    let server = Server::configured();
    server.builds();
    the_service_can_do_its_work_and_nothing_else(&server);
    an_upgrade_during_a_build_keeps_configuration_history_and_site(&server);
    no_secret_is_left_anywhere(&server);
}

fn the_service_can_do_its_work_and_nothing_else(server: &Server) {
    let units = "syncmon.service syncmon.timer syncmon-failure.service";
    let said = server.succeeds(&format!("systemd-analyze verify {units}"));
    assert_eq!(said, "");
    let manual = server.succeeds("man syncmon-build | cat");
    manual.has("Reads the database once");
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
    let nothing =
        "CapEff: 0000000000000000 CapBnd: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 syncmon ro";
    assert_eq!(words(&process), nothing);
    server.database_goes_on();
    server.waits_until_no_build_is_at_work();

    // Somebody else in its place: each line is something that must not work.
    server.succeeds(&format!(
        "cat > /usr/local/bin/intruder <<'END'\n{INTRUDER}END
         chmod 755 /usr/local/bin/intruder
         install -o syncmon /dev/null /var/lib/syncmon/mine"
    ));
    let in_its_place = "[Service]\nExecStart=\nExecStart=/usr/local/bin/intruder";
    server.changes("syncmon.service", in_its_place);
    server.builds();
    let did = server.succeeds(
        "journalctl --output=cat --unit=syncmon.service
         test ! -e /var/tmp/seen-by-others",
    );
    did.has("tried all of it").has("Read-only file system");
    did.lacks("INTRUDED");
    server.changes_nothing_any_more("syncmon.service");
}

fn an_upgrade_during_a_build_keeps_configuration_history_and_site(server: &Server) {
    server.succeeds(
        "echo 'title = \"The museum\"' >> /etc/syncmon/syncmon.toml
         systemctl enable --now syncmon.timer",
    );
    server.succeeds(&NEXT_VERSION.replace("PACKAGE", &inside()));
    let kept = "cd /etc/syncmon && sha256sum env syncmon.toml /var/lib/syncmon/changes.*.json";
    let build = "systemctl show --value --property=MainPID --property=InvocationID syncmon.service";

    server.begins_a_build_that_waits();
    let before = server.succeeds(kept);
    let under_way = server.succeeds(build);
    let said = server.succeeds("apt-get install --yes /var/cache/next.deb < /dev/null");
    said.lacks("does nothing yet");
    assert_eq!(server.succeeds(build), under_way, "the build was disturbed");
    assert_eq!(server.succeeds(kept), before);
    server.database_goes_on();
    server.waits_until_no_build_is_at_work();
    assert_eq!(server.status()["source"]["state"], "ok");
    let page = server.succeeds("cat /var/lib/syncmon/site/index.html");
    page.has("The museum");

    let now = server.succeeds(
        "dpkg-query --show --showformat '${Version} ' syncmon
         systemctl is-enabled syncmon.timer
         systemctl is-active syncmon.timer
         systemctl show --value --property=Description syncmon.timer
         tail -n 1 /etc/syncmon/syncmon.example.toml",
    );
    let upgraded = "99.0-1 enabled active The timer of version 99 # A line that is new.";
    assert_eq!(words(&now), upgraded);
    server.builds();
    assert_eq!(server.succeeds(kept), before);
    server.succeeds("systemctl disable --now syncmon.timer");
}

fn no_secret_is_left_anywhere(server: &Server) {
    server.succeeds(&format!("echo '{PASSWORD}' > /run/password"));
    server.begins_a_build_that_waits();
    // The process list with arguments and environments, as root sees it.
    let everywhere =
        "grep -laF -f /run/password /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2> /dev/null";
    assert_eq!(server.run(everywhere).stdout, "");
    // Another user.
    let credential = "/run/credentials/syncmon.service/syncmon.env";
    server.succeeds(&format!("cat {credential}")).has(PASSWORD);
    let denied = format!("runuser -u nobody -- cat {credential} /etc/syncmon/env");
    let denied = server.run(&denied).stdout;
    assert_eq!(denied.matches("Permission denied").count(), 2, "{denied}");
    // Not SEGV, which Rust's own handler takes for an overflow of the stack the first time.
    server.succeeds(
        "systemctl kill --signal=ABRT syncmon.service
         systemctl show --property=LimitCORE syncmon.service | grep -x LimitCORE=0",
    );
    let result = "systemctl show --value --property=Result syncmon.service";
    let crashed = format!("{result} | grep -xE 'signal|core-dump'");
    server.waits_until("the build has crashed", &crashed);
    server.database_goes_on();

    let another = "echo \"alter role syncmon_ro password 'another'\"";
    server.succeeds(&format!("{another} | runuser -u postgres -- psql -q"));
    assert_eq!(server.fails_to_build(), "exit-code 75");
    server.succeeds("echo SYNCMON_WEBHOOK_URL='no-address' >> /etc/syncmon/env");
    server.run("systemctl start syncmon.service");
    let places = "journalctl --all --output=export | grep -acF -f /run/password
        systemctl show syncmon.service syncmon-failure.service | grep -cF -f /run/password
        grep -rlaF -f /run/password /var /run/log /run/syncmon-failure /tmp /usr/share/syncmon /usr/lib/systemd
        find / -xdev \\( -path /proc -o -path /sys \\) -prune -o -name 'core*' -type f -newer /etc/syncmon/env -print";
    assert_eq!(server.run(places).stdout, "0\n0\n");
}

#[test]
fn the_package_holds_what_it_should_and_nothing_else() {
    let holds = asked("--contents", "");
    for path in "
        usr/bin/syncmon usr/sbin/syncmon-set-password usr/lib/syncmon/tell-failure
        usr/lib/systemd/system/syncmon.service usr/lib/systemd/system/syncmon.timer
        usr/lib/systemd/system/syncmon-failure.service
        usr/share/man/man1/syncmon.1.gz usr/share/man/man1/syncmon-build.1.gz
        usr/share/man/man1/syncmon-templates-export.1.gz
        usr/share/bash-completion/completions/syncmon usr/share/zsh/vendor-completions/_syncmon
        usr/share/fish/vendor_completions.d/syncmon.fish
        usr/share/syncmon/nginx/syncmon.conf usr/share/syncmon/errors/401.html
        usr/share/syncmon/rollback.sql usr/share/syncmon/env.example etc/syncmon/syncmon.example.toml
        usr/share/doc/syncmon/copyright usr/share/doc/syncmon/changelog.gz
        usr/share/doc/syncmon/examples/cron"
        .split_whitespace()
    {
        holds.has(&format!(" ./{path}\n"));
    }
    let ours = "^[-dlrwx]+ (0/0|root/root) .* \\./((usr|etc/syncmon)/.*|etc/)?$";
    let ours = regex::Regex::new(ours).unwrap();
    for line in holds.lines() {
        assert!(ours.is_match(line), "{line}");
    }
    assert!(asked("--field", "").starts_with("Package: syncmon\n"));
    let version = concat!(env!("CARGO_PKG_VERSION"), "-1\n");
    assert_eq!(asked("--field", "Version"), version);
}

/// What `dpkg-deb` says of the package, or of one field of it.
fn asked(question: &str, field: &str) -> String {
    let mut dpkg = Command::new("dpkg-deb");
    dpkg.arg(question).arg(package());
    ended(dpkg.args(field.split_whitespace())).exits(0).stdout
}
