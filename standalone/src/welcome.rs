//! What a newcomer sees: addresses, and commands that work as printed.

use std::net::SocketAddr;

/// Prints the addresses, and a first round of calls to paste.
#[expect(clippy::print_stdout, reason = "this is what the person who started it reads")]
pub fn print(grpc: SocketAddr, http: Option<SocketAddr>, drawn: Option<&str>) {
    if let Some(file) = drawn {
        println!("A new secret was drawn and is kept in {file} (readable by you alone).\n");
    }
    if let Some(http) = http {
        println!(
            r#"HTTP  http://{http}   /api/auth (Better Auth), /api/{{user_id}}/tasks, /docs

  curl -sS http://{http}/api/auth/sign-up/email -H 'content-type: application/json' \
    -d '{{"email":"ada@example.com","password":"correct horse","name":"Ada"}}' -i

  token=$(cargo run -q -- token --user-id ada)
  curl -sS http://{http}/api/ada/tasks -H "authorization: Bearer $token" \
    -H 'content-type: application/json' -d '{{"title":"Buy milk"}}'
"#
        );
    }
    println!(
        r#"gRPC  {grpc}   auth.v1.AuthService, auth.v1.SessionService, task.v1.TaskService

  (buf comes with `npm install -g @bufbuild/buf`)

  call() {{ buf curl --http2-prior-knowledge --protocol grpc "$@"; }}
  call -d '{{"email":"grace@example.com","password":"correct horse","name":"Grace"}}' \
    http://{grpc}/auth.v1.AuthService/SignUp

  token=$(cargo run -q -- token --user-id ada)
  call -H "authorization: Bearer $token" -d '{{"user_id":"ada","title":"Buy milk"}}' \
    http://{grpc}/task.v1.TaskService/CreateTask
  call -H "authorization: Bearer $token" -d '{{"user_id":"ada"}}' \
    http://{grpc}/task.v1.TaskService/ListTasks

Ctrl-C stops it.
"#
    );
}
