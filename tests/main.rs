//! The tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod apps_exchanges;
mod asking_providers;
mod attacks;
mod backup;
mod bad_providers;
mod bearer_tokens;
mod bound_sessions;
mod browser;
mod choosing_a_provider;
mod coming_back;
mod console;
mod counting_people;
mod docs;
mod explaining;
mod forged_tokens;
mod form_post;
mod forms_and_leaving;
mod full_disk;
mod idle_sessions;
mod keycloaks_answers;
mod layering;
mod long_streams;
mod management;
mod management_conformance;
mod mutations;
mod network_change;
mod observability;
mod other_origins;
mod own_sessions;
mod packaging;
mod portal;
mod provider_logout;
mod record;
mod refreshing_tokens;
mod replicas;
mod secrets_stay_secret;
mod sessions;
mod shared_signals;
mod shared_state;
mod sign_in;
mod sign_in_cannot_be_taken_over;
mod start_page;
mod state_file;
mod step_up;
mod step_up_between_hosts;
mod support;
mod take_over;
mod terminal;
mod tokens_by_other_fields;
mod tolerated_spellings;
mod traffic;
mod two_hosts_one_sign_in;
mod unknown_is_not_none;
mod upgrade;
mod what_apps_are_told;
