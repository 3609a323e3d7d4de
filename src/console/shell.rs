//! What stands around every page.

use super::answer::Visit;

/// The frame of a page.
#[derive(Clone, Debug)]
pub(super) struct Shell {
    /// Where the console stands, without a slash at its end.
    pub(super) mount: String,
    /// Who looks.
    pub(super) user: String,
    /// What they may do.
    pub(super) role: String,
}

impl Shell {
    pub(super) fn of(visit: Visit<'_>) -> Self {
        Self {
            mount: visit.mount.to_string().trim_end_matches('/').to_owned(),
            user: visit.person.user.clone(),
            role: visit.role.to_string(),
        }
    }
}
