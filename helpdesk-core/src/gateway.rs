//! The port to an external workflow system, to which tickets are handed over.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use uuid::Uuid;

use crate::identity::User;
use crate::jobs::JobError;
use crate::storage::Stored;
use crate::tickets::{Attachment, Ticket};

/// A ticket as it is handed over.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// The job that hands it over: the same for every attempt.
    pub id: Uuid,
    /// What the ticket is called at the door it came through.
    pub reference: String,
    /// The ticket.
    pub ticket: Arc<Stored<Ticket>>,
    /// Who asked for it.
    pub requester: Arc<Stored<User>>,
    /// Who has it.
    pub assignee: Option<Arc<Stored<User>>>,
    /// Its files.
    pub attachments: Vec<Arc<Stored<Attachment>>>,
}

/// The ticket of a [`HandOver`] as JSON, for systems that take a document.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct HandOverDocument(pub serde_json::Value);

impl HandOver {
    /// The ticket as one JSON document: ids, texts, people and files.
    #[must_use]
    pub fn document(&self) -> HandOverDocument {
        let ticket = &self.ticket;
        let person = |user: &Stored<User>| {
            serde_json::json!({
                "id": user.number,
                "first_name": user.first_name,
                "last_name": user.last_name,
                "email": user.email,
                "department": user.department,
            })
        };
        let files = self.attachments.iter().map(|file| {
            serde_json::json!({
                "id": file.number,
                "file_name": file.name,
                "file_type": file.media_type,
                "file_size": file.size,
                "upload_date": file.created_at,
            })
        });
        HandOverDocument(serde_json::json!({
            "id": ticket.number,
            "ticket_id": self.reference,
            "subject": ticket.subject,
            "description": ticket.description,
            "category": ticket.category,
            "subcategory": ticket.subcategory,
            "scheduled_date": ticket.scheduled_for,
            "priority": ticket.priority.map(crate::tickets::Priority::label),
            "department": ticket.department,
            "status": ticket.state.status().label(),
            "submit_date": ticket.created_at,
            "update_date": ticket.updated_at,
            "assigned_to": self.assignee.as_ref().map(|user| user.full_name()),
            "customer": person(&self.requester),
            "attachments": files.collect::<Vec<_>>(),
            "time_closed": ticket.state.closed_at(),
            "resolution_time": ticket.resolution_seconds(),
            "rejection_reason": ticket.state.rejection_reason(),
        }))
    }
}

/// Takes tickets over into another system.
// Above `async_trait`, so that the mock is told of the method as it is written and not of its boxed future.
#[cfg_attr(feature = "mock", mockall::automock)]
#[async_trait]
pub trait WorkflowGateway: Debug + Send + Sync + 'static {
    /// Hands a ticket over. May be called again with the same id if it was not known to have worked.
    ///
    /// # Errors
    ///
    /// [`JobError`] says whether it is worth another attempt.
    async fn hand_over(&self, ticket: &HandOver) -> Result<(), JobError>;
}
