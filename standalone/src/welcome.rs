//! What a newcomer sees: addresses, and commands that work as printed.

use std::net::SocketAddr;

/// Prints the addresses, and a first round of calls to paste.
#[expect(clippy::print_stdout, reason = "this is what the person who started it reads")]
pub fn print(grpc: SocketAddr, drawn: Option<&str>) {
    if let Some(file) = drawn {
        println!("A new secret was drawn and is kept in {file} (readable by you alone).\n");
    }
    println!(
        r#"gRPC  {grpc}   auth.v1.AuthService, auth.v1.SessionService, task.v1.TaskService

Try it from another terminal (buf comes with `npm install -g @bufbuild/buf`):

  call() {{ buf curl --http2-prior-knowledge --protocol grpc "$@"; }}
  call -d '{{"email":"ada@example.com","password":"correct horse","name":"Ada"}}' \
    http://{grpc}/auth.v1.AuthService/SignUp

Or without an account:

  token=$(cargo run -q -- token --user-id ada)
  call -H "authorization: Bearer $token" -d '{{"user_id":"ada","title":"Buy milk"}}' \
    http://{grpc}/task.v1.TaskService/CreateTask
  call -H "authorization: Bearer $token" -d '{{"user_id":"ada"}}' \
    http://{grpc}/task.v1.TaskService/ListTasks

Ctrl-C stops it.
"#
    );
}
