//! TLS to PostgreSQL, with a certificate that an authority of the test's own has signed.

use std::{process::Command, time::Duration};

use fixtures::{Cluster, notice};

use super::{begin, until_ready};
use crate::{binary::Binary, process::run};

/// Makes two authorities and a certificate of the first for this machine. `false`: there is
/// no program for it.
fn make_certificates(cluster: &Cluster) -> bool {
    let script = "\
        set -e; umask 022\n\
        for ca in right wrong; do\n\
          openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $ca.key \\\n\
            -out $ca.pem -days 2 -subj /CN=$ca -addext basicConstraints=critical,CA:TRUE\n\
        done\n\
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout server.key \\\n\
          -out server.csr -subj /CN=localhost\n\
        echo subjectAltName=DNS:localhost,IP:127.0.0.1 > names\n\
        openssl x509 -req -in server.csr -CA right.pem -CAkey right.key -CAcreateserial \\\n\
          -days 2 -extfile names -out server.pem\n\
        chmod 600 server.key\n\
        [ \"$(id -u)\" != 0 ] || chown postgres server.key\n";
    let made = Command::new("sh").args(["-c", script]).current_dir(cluster.folder()).output();
    let made = made.expect("a shell");
    let missing = made.status.code() == Some(127);
    assert!(missing || made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    !missing
}

/// How many of the service's connections are encrypted, and how many are not.
fn connections(cluster: &Cluster) -> [String; 2] {
    ["ssl", "NOT ssl"].map(|which| {
        cluster.execute(&format!(
            "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
             WHERE datname = 'tasks' AND {which}"
        ))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_taken_where_it_is_offered_and_checked_where_that_is_asked_for() {
    let Some(cluster) = Cluster::make() else { return };
    if !make_certificates(&cluster) {
        notice("not run: there is no openssl to make certificates");
        return;
    }
    let files = ["cert_file = '../server.pem'", "key_file = '../server.key'"];
    let files = files.map(|file| format!("ssl_{file}"));
    cluster.configure(&["ssl = on", &files[0], &files[1]]);
    cluster.resume_service();
    let address = cluster.database("tasks");
    let authority = |name: &str| format!("{}/{name}.pem", cluster.folder().display());
    let checked = |name: &str| format!("?sslmode=verify-full&sslrootcert={}", authority(name));
    for mode in [String::new(), "?sslmode=require".to_owned(), checked("right")] {
        let mut server = begin(Binary::Tasks, &format!("{address}{mode}")).wait();
        until_ready(&server).await;
        let [encrypted, clear] = connections(&cluster);
        assert_eq!(clear, "0", "{mode}");
        assert_ne!(encrypted, "0", "{mode}");
        // What closes its connections ends: the doctor, and the server.
        let mut doctor = Binary::Tasks.command();
        doctor.args(["doctor"]).env("BETTER_AUTH_SECRET", crate::world::SECRET);
        doctor.env("BETTER_AUTH_URL", crate::world::URL);
        doctor.env("DATABASE_URL", format!("{address}{mode}"));
        let ended = run(doctor);
        assert_eq!(ended.code, Some(0), "{mode}: {}", ended.stdout);
        let verdict = if mode.contains("verify-full") { "is verified" } else { "is encrypted" };
        assert!(ended.stdout.contains(verdict), "{mode}: {}", ended.stdout);
        server.terminate();
        assert!(server.wait(Duration::from_secs(5)).is_some_and(|status| status.success()));
        assert!(!server.log().contains("did not let go"), "{mode}: {}", server.log());
        drop(server);
        super::until("it is gone", async || connections(&cluster) == ["0", "0"]).await;
    }
    for mode in [checked("wrong"), "?sslmode=verify-full".to_owned()] {
        let mut command = Binary::Tasks.command();
        command.env("BETTER_AUTH_SECRET", crate::world::SECRET);
        command.env("BETTER_AUTH_URL", crate::world::URL);
        command.env("GRPC_ADDR", "127.0.0.1:0").env("HTTP_ADDR", "127.0.0.1:0");
        command.env("DATABASE_URL", format!("{address}{mode}"));
        let ended = run(command);
        assert_eq!(ended.code, Some(1), "{mode}: {}", ended.stderr);
        assert!(ended.stderr.contains("invalid peer certificate"), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
}
