//! A machine with the package installed and configured, and what can be asked of it.

use std::ops::Deref;

use crate::machine::{Machine, package};

/// In the connection string, and nowhere else.
pub const PASSWORD: &str = "S3cret-of-the-r0le";

/// Makes PostgreSQL known as db.example.org, by a certificate of an authority of its own; fills a database.
const DATABASE: &str = r#"
    mkdir /root/authority
    cat > /usr/local/bin/certified <<'END'
#!/bin/sh
# A certificate for the name $1 in the directory $2.
set -e
cd /root/authority
key="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
[ -e ca.crt ] || openssl req -x509 $key -days 2 -keyout ca.key -out ca.crt -subj /CN=authority
openssl req $key -keyout server.key -out server.csr -subj "/CN=$1"
echo "subjectAltName=DNS:$1" > names
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.crt
mkdir -p "$2"
cp server.crt "$2/fullchain.pem"
cp server.key "$2/privkey.pem"
END
    chmod 755 /usr/local/bin/certified
    settings=$(echo /etc/postgresql/*/main)
    certified db.example.org "$settings"
    chown postgres: "$settings"/*.pem
    chmod 600 "$settings"/*.pem
    install -m 644 /root/authority/ca.crt /etc/syncmon/ca.crt
    printf "ssl_cert_file = '%s/fullchain.pem'\nssl_key_file = '%s/privkey.pem'\nfsync = off\n" \
        "$settings" "$settings" > "$settings/conf.d/tls.conf"
    echo "127.0.0.1 db.example.org" >> /etc/hosts
    systemctl restart "postgresql@$(ls /etc/postgresql)-main"
    runuser -u postgres -- createdb museum
    cat > /usr/local/bin/as-owner <<'END'
#!/bin/sh
exec runuser -u postgres -- env HOME=/tmp/owner XDG_STATE_HOME=/tmp/owner \
    DATABASE_URL='postgres://postgres@localhost/museum?host=/var/run/postgresql' "$@"
END
    chmod 755 /usr/local/bin/as-owner
    as-owner syncmon init-db
    # Not as an argument: the log keeps the command line of whoever writes to it.
    echo "alter role syncmon_ro password 'PASSWORD'" | runuser -u postgres -- psql -q
    as-owner syncmon record sales completed --records 12 --duration 3s
"#;

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

    /// It has a database to read, which knows of one good run of "sales".
    pub fn configured() -> Server {
        let server = Server::installed();
        server.succeeds(&DATABASE.replace("PASSWORD", PASSWORD));
        server.succeeds(&format!(
            "echo \"DATABASE_URL='postgres://syncmon_ro:{PASSWORD}@db.example.org:5432/museum\
             ?sslmode=verify-full&sslrootcert=/etc/syncmon/ca.crt'\" >> /etc/syncmon/env"
        ));
        server
    }

    /// It has published a site from good data.
    pub fn at_work() -> Server {
        let server = Server::configured();
        server.builds();
        server
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
            "printf '%s\\n' 'connect_timeout = \"100s\"' 'build_timeout = \"110s\"' >> /etc/syncmon/syncmon.toml",
        );
        self.stalls_the_database();
        self.succeeds("systemctl start --no-block syncmon.service");
        self.waits_until(
            "the build is at work",
            "[ \"$(systemctl show --value --property=MainPID syncmon.service)\" != 0 ] \
             && grep -q '^syncmon' /proc/$(systemctl show --value --property=MainPID syncmon.service)/comm",
        );
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

    /// What whoever watches the log is told of failures, a line each.
    pub fn alarms(&self) -> Vec<String> {
        let lines = self.succeeds(
            "journalctl --quiet --no-pager --output=cat --unit=syncmon-failure.service --priority=alert",
        );
        lines.lines().map(str::to_owned).collect()
    }
}

/// Where the machine sees the package.
pub fn inside() -> String {
    let package = package();
    let name = package.file_name().unwrap().to_str().unwrap();
    format!("/packages/{name}")
}
