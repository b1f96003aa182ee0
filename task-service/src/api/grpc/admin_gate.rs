//! The gate of the rpcs for other services: a service token and, where names are listed, a client
//! certificate with one of them. Two proofs, so that a secret that leaked does not open them alone.

use server::{ClientInfo, tls::ClientNames};
use shared::{auth::ServiceGate, error::Refusal};
use tonic::{Request, Status, service::Interceptor};

/// The gate. A call that passes has the `ServicePrincipal` of its token.
#[derive(Clone)]
pub struct AdminGate {
    services: ServiceGate,
    clients: ClientNames,
}

impl AdminGate {
    /// The gate of `services` for these `clients`.
    pub fn new(services: ServiceGate, clients: ClientNames) -> Self {
        Self { services, clients }
    }
}

impl Interceptor for AdminGate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let request = self.services.call(request)?;
        if self.clients.allow(&ClientInfo::of(request.extensions())) {
            return Ok(request);
        }
        Err(Refusal::CertificateNotListed.into())
    }
}
