//! What came with a request id, in a form that can be compared for a day.

use sha2::{Digest, Sha256};

use crate::task::NewTask;

/// Tells bodies apart: SHA-256 over what the body means, so that a default counts the same
/// whether it was spelled out or not.
///
/// The digest outlives the process that made it by a day: a new encoding needs a new
/// version byte, and then makes repeats of older calls look different.
pub fn fingerprint(task: &NewTask) -> Vec<u8> {
    let mut digest = Sha256::new_with_prefix([1]);
    digest.update(task.priority.number().to_be_bytes());
    for text in [task.title.as_str(), task.description.as_str()] {
        // The length in front keeps text from moving between the fields unnoticed.
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    digest.finalize().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Description, Priority, Title};

    fn body(title: &str, description: &str, priority: Priority) -> NewTask {
        NewTask {
            title: Title::parse(title).expect("a title"),
            description: Description::parse(description.into()).expect("a description"),
            priority,
            request_id: None,
        }
    }

    #[test]
    fn different_bodies_have_different_fingerprints() {
        let bodies = [
            body("ab", "c", Priority::Low),
            body("a", "bc", Priority::Low),
            body("abc", "", Priority::Low),
            body("ab", "c", Priority::High),
            body("ab", "c ", Priority::Low),
        ];
        for (i, one) in bodies.iter().enumerate() {
            for other in &bodies[i + 1..] {
                assert_ne!(fingerprint(one), fingerprint(other), "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn a_fingerprint_outlives_its_process_so_its_bytes_are_fixed() {
        let one = fingerprint(&body("Water the plants", "twice", Priority::Medium));
        assert_eq!(one[..8], [0x71, 0x13, 0x91, 0xd8, 0x11, 0x53, 0x91, 0xa0]);
        assert_eq!(one, fingerprint(&body(" Water the plants ", "twice", Priority::Medium)));
    }
}
