//! Many watchers on one task-service: what each costs in memory, and how soon a change
//! reaches it, from the time it is sent. `--write` and `--watch` may be two replicas.

use std::{error::Error, fs, process::ExitCode, sync::Arc, time::Duration};

use clap::Parser;
use proto::task::v1::{
    self as pb, task_service_client::TaskServiceClient, watch_tasks_response::Event,
};
use shared::{
    auth::{Keyring, Profile, TokenIssuer, TokenPolicy, UserId},
    clock::SystemClock,
    config::{Env, Reader},
    origin::BETTER_AUTH_URL,
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, MissedTickBehavior, interval, sleep},
};
use tonic::{Request, transport::Channel};

/// Opens streams, changes tasks, and prints the result. The settings of tokens are those of
/// task-service.
#[derive(Parser)]
#[command(name = "bench-watch")]
struct Cli {
    /// Where tasks are changed, such as `http://127.0.0.1:50052`
    #[arg(long)]
    write: String,
    /// Where they are watched
    #[arg(long)]
    watch: String,
    /// The process that is watched, whose memory is measured
    #[arg(long)]
    pid: Option<u32>,
    #[arg(long, default_value_t = 1000)]
    streams: usize,
    #[arg(long, default_value_t = 10)]
    connections: usize,
    /// Changes a second
    #[arg(long, default_value_t = 100)]
    rate: u32,
    #[arg(long, default_value_t = 20)]
    seconds: u32,
}

type Client = TaskServiceClient<Channel>;

struct Users(TokenIssuer);

impl Users {
    fn request<T>(&self, user: &str, message: T) -> Result<Request<T>, Box<dyn Error>> {
        let token = self.0.issue(&UserId::parse(user)?, Profile::default())?.token;
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse()?);
        Ok(request)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    server::cli::exit::code("bench-watch", measure(&Cli::parse()).await)
}

#[expect(clippy::print_stdout, reason = "what was measured is what was asked for")]
async fn measure(cli: &Cli) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let keys = Keyring::read(&mut reader).map(Arc::new);
    let policy = TokenPolicy::read(&mut reader, &BETTER_AUTH_URL);
    let (keys, policy) = reader.finish(keys.zip(policy))?;
    let lifetime = Duration::from_mins(15);
    let users = Users(TokenIssuer::new(keys, policy, lifetime, Arc::new(SystemClock)));
    let start = Instant::now();
    let mut writer = TaskServiceClient::connect(cli.write.clone()).await?;
    warm_up(&mut writer, &users).await?;

    let before = cli.pid.map(resident).transpose()?;
    let (sender, mut receiver) = mpsc::unbounded_channel();
    let mut watching = JoinSet::new();
    let mut clients = Vec::new();
    for _ in 0..cli.connections {
        clients.push(TaskServiceClient::connect(cli.watch.clone()).await?);
    }
    for number in 0..cli.streams {
        let user = format!("watcher-{number}");
        let message = pb::WatchTasksRequest { user_id: user.clone(), ..Default::default() };
        let request = users.request(&user, message)?;
        let client = &mut clients[number % cli.connections];
        let mut stream = client.watch_tasks(request).await?.into_inner();
        let sender = sender.clone();
        watching.spawn(async move {
            while let Ok(Some(message)) = stream.message().await {
                let now = start.elapsed();
                if let Some(Event::Changed(task)) = message.event
                    && let Ok(sent) = task.title.parse::<u64>()
                {
                    let _ = sender.send(now.saturating_sub(Duration::from_micros(sent)));
                }
            }
        });
    }
    sleep(Duration::from_secs(3)).await;
    let opened = cli.pid.map(resident).transpose()?;

    let mut ticks = interval(Duration::from_secs(1) / cli.rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let changes = (cli.rate * cli.seconds) as usize;
    let mut writing = JoinSet::new();
    for number in 0..changes {
        ticks.tick().await;
        let user = format!("watcher-{}", number * 7 % cli.streams);
        let title = start.elapsed().as_micros().to_string();
        let message = pb::CreateTaskRequest { user_id: user.clone(), title, ..Default::default() };
        let request = users.request(&user, message)?;
        let mut writer = writer.clone();
        writing.spawn(async move { writer.create_task(request).await.is_ok() });
    }
    let written = writing.join_all().await.into_iter().filter(|done| *done).count();
    sleep(Duration::from_secs(2)).await;
    let after = cli.pid.map(resident).transpose()?;
    let open = watching.len() - std::iter::from_fn(|| watching.try_join_next()).count();
    let mut latencies = Vec::new();
    while let Ok(latency) = receiver.try_recv() {
        latencies.push(latency);
    }
    latencies.sort_unstable();
    println!("streams open at the end: {open} of {}", cli.streams);
    println!("changes: {changes} sent, {written} written, {} received", latencies.len());
    for percent in [50, 90, 99, 100] {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        println!("p{percent}: {:?}", latencies.get(index).copied().unwrap_or_default());
    }
    if let (Some(before), Some(opened), Some(after)) = (before, opened, after) {
        let each = |kib: usize| kib.saturating_sub(before) / cli.streams.max(1);
        println!("memory: {before} KiB before, {opened} KiB open, {after} KiB after the load");
        println!("per stream: {} KiB open, {} KiB after the load", each(opened), each(after));
    }
    Ok(())
}

/// So that what is only there from the first calls on does not count as a stream's.
async fn warm_up(writer: &mut Client, users: &Users) -> Result<(), Box<dyn Error>> {
    for number in 0..200 {
        let user = format!("warm-{}", number % 10);
        let message = pb::CreateTaskRequest {
            user_id: user.clone(),
            title: "warm".to_owned(),
            ..Default::default()
        };
        writer.create_task(users.request(&user, message)?).await?;
    }
    Ok(())
}

/// The resident memory of a process, in KiB.
fn resident(pid: u32) -> Result<usize, Box<dyn Error>> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.unwrap_or_default().trim().trim_end_matches(" kB").trim().parse()?)
}
