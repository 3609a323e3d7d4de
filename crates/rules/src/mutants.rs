//! Mistakes that can be switched on, one at a time, so that it can be seen that a test notices each of them
//! (`tests/mutations/README.md`). Debug builds have them; in a release build not a byte of them is left.

/// An expression, and what it would be by mistake: `mutant!(right, "name" => wrong)` is `right`, unless the
/// environment of a debug build names that mutant.
///
/// The arms of a `match` rather than branches of an `if`: what is temporary in them lives as long as it does in the
/// bare expression.
#[cfg(debug_assertions)]
#[macro_export]
macro_rules! mutant {
    ($right:expr, $($name:literal => $wrong:expr),+ $(,)?) => {
        match () {
            $(() if $crate::mutants::is_alive($name) => $wrong,)+
            () => $right,
        }
    };
}

/// The expression itself.
#[cfg(not(debug_assertions))]
#[macro_export]
macro_rules! mutant {
    ($right:expr, $($name:literal => $wrong:expr),+ $(,)?) => {
        $right
    };
}

#[cfg(debug_assertions)]
pub use alive::is_alive;

/// Says loudly that the program that starts here is broken on purpose, where it is.
pub fn warn() {
    #[cfg(debug_assertions)]
    alive::warn();
}

#[cfg(debug_assertions)]
mod alive {
    use std::sync::LazyLock;

    /// Names the mutant that is alive.
    const VARIABLE: &str = "PORTCULLIS_MUTANT";

    static CHOSEN: LazyLock<Option<String>> = LazyLock::new(|| std::env::var(VARIABLE).ok());

    /// Whether the mistake of this name is to be made.
    pub fn is_alive(name: &str) -> bool {
        CHOSEN.as_deref() == Some(name)
    }

    #[expect(clippy::print_stderr, reason = "before there is a log, and whatever the log is set to")]
    pub(super) fn warn() {
        if let Some(name) = CHOSEN.as_deref() {
            eprintln!(
                "DANGER: {VARIABLE}={name} breaks this debug build on purpose, so that a test can notice. \
                 Nothing is safe behind it. Unset the variable, or use a release build, which ignores it."
            );
        }
    }
}
