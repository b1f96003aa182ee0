//! Malformed HTTP is never answered as a request.

use server::MAX_REQUEST_BYTES;

use super::raw_connection::RawConnection;
use crate::{caller::SignedIn, scenarios::over_http_alone, world::World};

over_http_alone!(
    what_is_no_http_is_never_taken_for_a_request,
    a_head_is_bounded_in_every_direction,
);

/// Says `text` and hears the statuses of all answers until the connection ends.
async fn statuses(port: std::net::SocketAddr, text: impl AsRef<[u8]>) -> Vec<u16> {
    let mut line = RawConnection::open(port).await;
    line.send(text).await;
    let (heard, _) = line.rest().await;
    let lines = heard.split("HTTP/1.1 ").skip(1);
    lines.map(|line| line[..3].parse().expect("a status")).collect()
}

/// A request for her tasks that would be answered with 200, with `header` in it.
fn list(alice: &SignedIn, header: &str) -> String {
    let (id, token) = (alice.id(), &alice.access_token);
    format!(
        "GET /api/{id}/tasks HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         authorization: Bearer {token}\r\n{header}\r\n\r\n"
    )
}

async fn what_is_no_http_is_never_taken_for_a_request(world: &World) {
    let alice = world.alice().await;
    let address = world.tasks_http();
    assert_eq!(statuses(address, list(&alice, "x-sound: a")).await, [200], "the sound one");
    for header in [
        "x-a: b\rc: d",
        "x-a: b\r\rc: d",
        "x-a: b\0c",
        "x-a: \x01",
        "x-a : b",
        "x-a\t: b",
        " x-a: b",
        "x-a: b\r\n folded",
        "x-a: b\r\n\tfolded",
        "x-a",
        ": b",
        "x a: b",
        "x(a): b",
        "x-\u{e9}: b",
    ] {
        let heard = statuses(address, list(&alice, header)).await;
        assert!(heard.iter().all(|status| *status == 400), "{header:?}: {heard:?}");
    }
    let sound = list(&alice, "x-sound: a");
    for text in [
        sound.replacen(" HTTP/1.1", " HTTP/1.2", 1),
        sound.replacen(" HTTP/1.1", " HTTP/3.0", 1),
        sound.replacen(" HTTP/1.1", "", 1),
        sound.replacen("GET ", "G\0T ", 1),
        sound.replacen("GET ", "GET\t", 1),
        sound.replacen("GET ", " GET ", 1),
        sound.replacen("/tasks ", "/ta sks ", 1),
        sound.replacen("/tasks ", "/tasks\0 ", 1),
        sound.replacen("/tasks ", "/tasks\u{7f} ", 1),
        sound.replacen("\r\n", "\r", 1),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".to_owned()
            + &"x".repeat(64)
            + "\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6 and more of that so that it is no preface\r\n\r\n".to_owned(),
    ] {
        let heard = statuses(address, &text).await;
        let refused = heard.iter().all(|status| (400..500).contains(status) || *status == 505);
        assert!(refused, "{text:?}: {heard:?}");
    }
    assert_eq!(statuses(address, sound).await, [200], "it lives on");
}

async fn a_head_is_bounded_in_every_direction(world: &World) {
    let alice = world.alice().await;
    let address = world.tasks_http();
    let long = "a".repeat(17 * 1024);
    let many: Vec<String> = (0..200).map(|number| format!("x-{number}: a")).collect();
    for header in [format!("x-long: {long}"), format!("{long}: a"), many.join("\r\n")] {
        let heard = statuses(address, list(&alice, &header)).await;
        assert_eq!(heard, [431], "{header:.20}");
    }
    let target =
        list(&alice, "x-a: b").replacen("/tasks ", &format!("/tasks?page_token={long} "), 1);
    let heard = statuses(address, target).await;
    assert!(heard == [431] || heard == [414], "{heard:?}");
    let cookie = format!("cookie: {long}");
    let request = format!("GET /api/auth/get-session HTTP/1.1\r\nhost: x\r\n{cookie}\r\n\r\n");
    assert_eq!(statuses(world.auth_http(), request).await, [431]);

    // What is announced and never sent is refused by what was announced.
    let announced = format!("content-length: {}", MAX_REQUEST_BYTES + 1);
    let request = list(&alice, &format!("content-type: application/json\r\n{announced}"));
    assert_eq!(statuses(address, request.replacen("GET", "POST", 1)).await, [413]);
}
