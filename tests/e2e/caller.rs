//! Callers: without a credential, and signed in.

mod tasks;

use proto::{
    auth::v1::{
        self as auth, auth_service_client::AuthServiceClient,
        session_service_client::SessionServiceClient,
    },
    task::v1::{
        self as task, task_bulk_service_client::TaskBulkServiceClient,
        task_service_client::TaskServiceClient,
    },
};
use tonic::{
    Request, Status,
    metadata::AsciiMetadataValue,
    service::{Interceptor, interceptor::InterceptedService},
};

pub use self::tasks::at;
use crate::{forge, secrecy, wire::Transport, world::SECRET};

/// The default password.
pub const PASSWORD: &str = "tulips and rain";

/// `auth.v1.SessionService` with a credential.
pub type Sessions = SessionServiceClient<InterceptedService<Transport, Bearer>>;

/// `task.v1.TaskService` with a credential.
pub type Tasks = TaskServiceClient<InterceptedService<Transport, Bearer>>;

/// `task.v1.TaskBulkService` with a credential.
pub type Bulk = TaskBulkServiceClient<InterceptedService<Transport, Bearer>>;

/// Attaches `authorization: Bearer <credential>` to every call.
#[derive(Clone)]
pub struct Bearer(AsciiMetadataValue);

impl Bearer {
    pub fn new(credential: &str) -> Self {
        Self(format!("Bearer {credential}").parse().expect("a header value"))
    }
}

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A caller without a credential.
#[derive(Clone)]
pub struct Stranger {
    auth: Transport,
    tasks: Transport,
}

impl Stranger {
    pub fn new(auth: impl Into<Transport>, tasks: impl Into<Transport>) -> Self {
        Self { auth: auth.into(), tasks: tasks.into() }
    }

    /// `auth.v1.AuthService`.
    pub fn accounts(&self) -> AuthServiceClient<Transport> {
        AuthServiceClient::new(self.auth.clone())
    }

    /// `auth.v1.SessionService` with this session token.
    pub fn sessions(&self, token: &str) -> Sessions {
        SessionServiceClient::with_interceptor(self.auth.clone(), Bearer::new(token))
    }

    /// `task.v1.TaskService` with this access token.
    pub fn tasks(&self, token: &str) -> Tasks {
        TaskServiceClient::with_interceptor(self.tasks.clone(), Bearer::new(token))
    }

    /// `task.v1.TaskBulkService` with this access token.
    pub fn bulk(&self, token: &str) -> Bulk {
        TaskBulkServiceClient::with_interceptor(self.tasks.clone(), Bearer::new(token))
    }

    /// A user who never signed up: `user` by a token made elsewhere with the secret.
    pub fn minted(&self, user: &str) -> SignedIn {
        SignedIn {
            user: auth::User { id: user.into(), ..auth::User::default() },
            session: auth::Session::default(),
            session_token: String::new(),
            access_token: forge::token(SECRET, user, &serde_json::json!({})),
            ways: self.clone(),
        }
    }

    /// Signs up with the usual password.
    pub async fn sign_up(&self, email: &str) -> SignedIn {
        let application = application(email, PASSWORD);
        let answer = self.accounts().sign_up(application).await.expect("signs up").into_inner();
        secrecy::register("session token", &answer.session_token);
        SignedIn {
            user: answer.user.expect("a user"),
            session: answer.session.expect("a session"),
            session_token: answer.session_token,
            access_token: answer.access_token.expect("an access token").token,
            ways: self.clone(),
        }
    }

    /// Signs in with the usual password.
    pub async fn sign_in(&self, email: &str) -> SignedIn {
        self.try_sign_in(email, PASSWORD).await.expect("signs in")
    }

    /// Signs in, or hears why not.
    pub async fn try_sign_in(&self, email: &str, password: &str) -> Result<SignedIn, Status> {
        let credential = auth::SignInRequest { email: email.into(), password: password.into() };
        let answer = self.accounts().sign_in(credential).await?.into_inner();
        secrecy::register("session token", &answer.session_token);
        Ok(SignedIn {
            user: answer.user.expect("a user"),
            session: answer.session.expect("a session"),
            session_token: answer.session_token,
            access_token: answer.access_token.expect("an access token").token,
            ways: self.clone(),
        })
    }
}

/// The required fields of a sign-up.
pub fn application(email: &str, password: &str) -> auth::SignUpRequest {
    auth::SignUpRequest { email: email.into(), password: password.into(), ..Default::default() }
}

/// A signed-in user, with both credentials.
#[derive(Clone)]
pub struct SignedIn {
    pub user: auth::User,
    pub session: auth::Session,
    pub session_token: String,
    pub access_token: String,
    pub ways: Stranger,
}

impl SignedIn {
    /// The id of the user.
    pub fn id(&self) -> String {
        self.user.id.clone()
    }

    /// `auth.v1.SessionService` as this user.
    pub fn sessions(&self) -> Sessions {
        self.ways.sessions(&self.session_token)
    }

    /// `task.v1.TaskService` as this user.
    pub fn tasks(&self) -> Tasks {
        self.ways.tasks(&self.access_token)
    }

    /// `task.v1.TaskBulkService` as this user.
    pub fn bulk(&self) -> Bulk {
        self.ways.bulk(&self.access_token)
    }

    /// Whether the session is alive.
    pub async fn session_lives(&self) -> bool {
        match self.sessions().get_session(auth::GetSessionRequest {}).await {
            Ok(_) => true,
            Err(status) if status.code() == tonic::Code::Unauthenticated => false,
            Err(status) => panic!("neither alive nor dead: {status:?}"),
        }
    }

    /// Makes a task with this title.
    pub async fn create(&self, title: &str) -> task::Task {
        let answer = self.tasks().create_task(self.new_task(title)).await;
        answer.expect("a task").into_inner().task.expect("a task")
    }

    /// The request for a task with this title.
    pub fn new_task(&self, title: &str) -> task::CreateTaskRequest {
        task::CreateTaskRequest {
            user_id: self.id(),
            title: title.into(),
            ..task::CreateTaskRequest::default()
        }
    }

    /// The task with this id, as it is now.
    pub async fn get(&self, id: &str) -> Result<task::Task, Status> {
        let wanted = task::GetTaskRequest { user_id: self.id(), id: id.into() };
        let answer = self.tasks().get_task(wanted).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// One page of this user's tasks.
    pub async fn page(
        &self,
        size: i32,
        token: &str,
        completed: Option<bool>,
    ) -> Result<task::ListTasksResponse, Status> {
        let wanted = task::ListTasksRequest {
            user_id: self.id(),
            page_size: size,
            page_token: token.into(),
            completed,
            ..task::ListTasksRequest::default()
        };
        Ok(self.tasks().list_tasks(wanted).await?.into_inner())
    }

    /// All tasks of this user, page by page.
    pub async fn all_tasks(&self) -> Vec<task::Task> {
        let (mut tasks, mut token) = (Vec::new(), String::new());
        loop {
            let page = self.page(200, &token, None).await.expect("a page");
            tasks.extend(page.tasks);
            token = page.next_page_token;
            if token.is_empty() {
                return tasks;
            }
        }
    }
}
