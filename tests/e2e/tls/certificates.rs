//! Certificates of two authorities of the test's own, made by OpenSSL.

use std::{fs, path::PathBuf, process::Command};

/// A folder with `ca` and `other_ca`, and keys and certificates: `current` of the server, `renewed`
/// of `other_ca`, `elsewhere` for another host and `expired` for it, `client` and `foreign` of
/// clients, and `expired_ca`, which has the key of `ca`.
pub struct Certificates(PathBuf);

const SCRIPT: &str = r#"
    set -e; umask 022
    key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    for ca in ca other_ca; do
      openssl req -x509 $key -keyout $ca.key -out $ca.pem -days 2 -subj /CN=$ca \
        -addext basicConstraints=critical,CA:TRUE
    done
    issue() { # name authority names use
      openssl req $key -keyout $1.key -out $1.csr -subj /CN=$1
      printf 'subjectAltName=%s\nextendedKeyUsage=%s\n' "$3" "$4" > $1.ext
      openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 2 \
        -extfile $1.ext -out $1.pem
    }
    both=serverAuth,clientAuth
    issue current ca DNS:localhost,IP:127.0.0.1 $both
    issue renewed other_ca DNS:localhost,IP:127.0.0.1 $both
    issue elsewhere ca DNS:elsewhere.example.com $both
    issue client ca DNS:billing.example.com clientAuth
    issue foreign other_ca DNS:billing.example.com clientAuth
    mkdir issued; touch issued/index; echo 01 > issued/serial
    printf '[ca]\ndefault_ca=own\n[own]\ndatabase=issued/index\nserial=issued/serial\n' > ca.cnf
    printf 'new_certs_dir=issued\ndefault_md=sha256\npolicy=any\n[any]\ncommonName=supplied\n' >> ca.cnf
    past="-batch -config ca.cnf -notext -startdate 20200101000000Z -enddate 20200102000000Z"
    openssl ca $past -cert ca.pem -keyfile ca.key -in current.csr -out expired.pem -extfile current.ext
    openssl req -new -key ca.key -out ca.csr -subj /CN=ca
    echo basicConstraints=critical,CA:TRUE > ca.ext
    openssl ca $past -selfsign -keyfile ca.key -in ca.csr -out expired_ca.pem -extfile ca.ext
    cp current.key expired.key
"#;

impl Certificates {
    /// Makes them. `None`: there is no program for it.
    pub fn make(name: &str) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("tls-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).expect("a folder");
        let made = Command::new("sh").args(["-c", SCRIPT]).current_dir(&folder).output();
        let made = made.expect("a shell");
        let certificates = Self(folder);
        if made.status.code() == Some(127) {
            return None;
        }
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Some(certificates)
    }

    /// The path of a file in the folder.
    pub fn path(&self, file: &str) -> String {
        self.0.join(file).display().to_string()
    }

    /// Puts other files in the place of `current.pem` and `current.key`.
    pub fn replace(&self, chain: &str, key: &str) {
        for (from, to) in [(chain, "current.pem"), (key, "current.key")] {
            let kept = self.0.join(format!("first-{to}"));
            if !kept.exists() {
                fs::copy(self.0.join(to), &kept).expect("copied");
            }
            let from = if from == to { kept } else { self.0.join(from) };
            let next = self.0.join("next");
            fs::copy(from, &next).expect("copied");
            fs::rename(next, self.0.join(to)).expect("renamed");
        }
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
