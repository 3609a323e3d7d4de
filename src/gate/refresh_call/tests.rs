use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::*;
use crate::clock::{Clock, Timestamp};
use crate::identity::RequestId;
use crate::identity::fixtures::alice;
use crate::replicas::{LeaseStore, LocalStore, testing};
use crate::secret::Secret;
use crate::session::testing::{keys, sign_in, store};
use crate::session::{NewSession, SessionSettings, SessionStore};

const REST: Duration = Duration::from_secs(2);

/// A provider that answers when the test lets it.
#[derive(Debug)]
struct Fake {
    name: ProviderName,
    answers: Mutex<VecDeque<Result<&'static str, RefreshError>>>,
    calls: AtomicUsize,
    door: Semaphore,
}

impl Refresh for Fake {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    async fn refresh(&self, tokens: &Tokens) -> Result<Refreshed, RefreshError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.door.acquire().await.unwrap().forget();
        let answer = self.answers.lock().unwrap().pop_front().expect("no call more than the test knows of");
        let access = Some(Secret::new(answer?));
        Ok(Refreshed { tokens: Tokens { access, ..tokens.clone() }, principal: None })
    }
}

/// Replicas over one store, each with a memory of its own.
struct Rig {
    store: Arc<dyn SessionStore>,
    leases: Arc<dyn LeaseStore>,
    provider: Arc<Fake>,
    clock: Clock,
}

impl Rig {
    fn new(answers: &[Result<&'static str, RefreshError>]) -> Self {
        let clock = Clock::manual(Timestamp::from_seconds(1_000));
        let provider = Fake {
            name: ProviderName::new("corp"),
            answers: Mutex::new(answers.iter().cloned().collect()),
            calls: AtomicUsize::new(0),
            door: Semaphore::new(0),
        };
        Self {
            store: store(),
            leases: Arc::new(LocalStore::new(clock.clone())),
            provider: Arc::new(provider),
            clock,
        }
    }

    fn replica(&self) -> Sessions {
        let store = Arc::clone(&self.store);
        Sessions::new(SessionSettings::default(), store, keys(), self.clock.clone())
    }

    async fn call(&self, sessions: &Sessions, key: &SessionKey) -> RefreshCall<Fake> {
        RefreshCall {
            caller: OwnedCaller { id: RequestId::new("r"), client: None },
            recorder: Recorder::nowhere(),
            provider: Arc::clone(&self.provider),
            sessions: sessions.clone(),
            leases: Leases::new(Arc::clone(&self.leases)),
            key: key.clone(),
            session: sessions.find(key).await.unwrap().unwrap(),
            rest: REST,
        }
    }

    fn let_answer(&self) {
        self.provider.door.add_permits(1);
    }

    async fn until_called(&self, calls: usize) {
        while self.calls() < calls {
            yield_now().await;
        }
    }

    fn calls(&self) -> usize {
        self.provider.calls.load(Ordering::SeqCst)
    }
}

async fn somebody(sessions: &Sessions, clock: &Clock) -> SessionKey {
    let NewSession::Root { host, principal, sid, origin, began, .. } =
        sign_in("wiki.example", Arc::new(alice()), clock)
    else {
        unreachable!("a sign-in makes a root")
    };
    let tokens = Tokens {
        access: Some(Secret::new("old")),
        refresh: Some(Secret::new("refresh")),
        ..Tokens::default()
    };
    sessions.create(NewSession::Root { host, principal, tokens, sid, origin, began }).await.unwrap().0
}

async fn access(sessions: &Sessions, key: &SessionKey) -> Option<Secret> {
    sessions.read_anew(key).await.unwrap()?.tokens.access.clone()
}

#[tokio::test]
async fn of_many_replicas_one_calls_and_the_others_have_what_it_got() {
    let rig = Rig::new(&[Ok("new")]);
    let replicas: Vec<_> = (0..5).map(|_| rig.replica()).collect();
    let key = somebody(&replicas[0], &rig.clock).await;
    let mut running = Vec::new();
    for replica in &replicas {
        running.push(tokio::spawn(rig.call(replica, &key).await.run()));
    }
    rig.until_called(1).await;
    rig.let_answer();
    for run in running {
        assert_eq!(run.await.unwrap(), Renewal::Done);
    }
    for replica in &replicas {
        let found = replica.find(&key).await.unwrap().unwrap();
        assert_eq!(found.tokens.access, Some(Secret::new("new")), "without being told, from memory");
    }
    assert_eq!(rig.calls(), 1);
}

/// It found the session before the other one renewed it, and comes when that is done.
#[tokio::test]
async fn who_comes_late_finds_it_done() {
    let rig = Rig::new(&[Ok("new")]);
    let (one, other) = (rig.replica(), rig.replica());
    let key = somebody(&one, &rig.clock).await;
    let late = rig.call(&other, &key).await;
    rig.let_answer();
    assert_eq!(rig.call(&one, &key).await.run().await, Renewal::Done);
    assert_eq!(late.run().await, Renewal::Done);
    assert_eq!(rig.calls(), 1);
}

#[tokio::test]
async fn a_call_that_failed_is_tried_by_no_other_replica_for_a_while() {
    let rig = Rig::new(&[Err(RefreshError::Away("no connection".into())), Ok("new")]);
    let (one, other) = (rig.replica(), rig.replica());
    let key = somebody(&one, &rig.clock).await;
    rig.let_answer();
    rig.let_answer();
    assert_eq!(rig.call(&one, &key).await.run().await, Renewal::Failed);
    for replica in [&other, &one] {
        assert_eq!(rig.call(replica, &key).await.run().await, Renewal::Failed);
    }
    assert_eq!(rig.calls(), 1);
    rig.clock.advance(REST);
    assert_eq!(rig.call(&other, &key).await.run().await, Renewal::Done);
    assert_eq!((rig.calls(), access(&one, &key).await), (2, Some(Secret::new("new"))));
}

/// A provider that rests here may answer elsewhere: nobody was called.
#[tokio::test]
async fn a_call_that_was_not_made_keeps_no_other_replica_from_making_it() {
    let rig = Rig::new(&[Err(RefreshError::Resting), Ok("new")]);
    let (one, other) = (rig.replica(), rig.replica());
    let key = somebody(&one, &rig.clock).await;
    rig.let_answer();
    rig.let_answer();
    assert_eq!(rig.call(&one, &key).await.run().await, Renewal::Failed);
    assert_eq!(rig.call(&other, &key).await.run().await, Renewal::Done);
}

/// The lease was lost in a failover, say, and two have spent one token: the one that is late is told that it is no good.
#[tokio::test]
async fn invariant_8_a_refusal_ends_the_session_unless_somebody_else_has_renewed_it() {
    for renewed in [true, false] {
        let rig = Rig::new(&[Err(RefreshError::Gone)]);
        let (one, other) = (rig.replica(), rig.replica());
        let key = somebody(&one, &rig.clock).await;
        let running = tokio::spawn(rig.call(&one, &key).await.run());
        rig.until_called(1).await;
        if renewed {
            let session = other.find(&key).await.unwrap().unwrap();
            let tokens = Tokens { access: Some(Secret::new("theirs")), ..session.tokens.clone() };
            other.replace_tokens(&key, &session, tokens, None).await.unwrap();
        }
        rig.let_answer();
        assert_eq!(running.await.unwrap(), Renewal::Done);
        assert_eq!(access(&one, &key).await, renewed.then(|| Secret::new("theirs")));
    }
}

/// A refresh that is late never overwrites a newer one.
#[tokio::test]
async fn what_comes_late_from_the_provider_replaces_nothing_newer() {
    let rig = Rig::new(&[Ok("late")]);
    let (one, other) = (rig.replica(), rig.replica());
    let key = somebody(&one, &rig.clock).await;
    let running = tokio::spawn(rig.call(&one, &key).await.run());
    rig.until_called(1).await;
    let session = other.find(&key).await.unwrap().unwrap();
    let tokens = Tokens { access: Some(Secret::new("theirs")), ..session.tokens.clone() };
    other.replace_tokens(&key, &session, tokens, None).await.unwrap();
    rig.let_answer();
    assert_eq!(running.await.unwrap(), Renewal::Done);
    assert_eq!(access(&one, &key).await, Some(Secret::new("theirs")));
}

#[tokio::test]
async fn where_nobody_knows_who_else_calls_nobody_does() {
    let rig = Rig { leases: Arc::new(testing::Away), ..Rig::new(&[]) };
    let replica = rig.replica();
    let key = somebody(&replica, &rig.clock).await;
    assert_eq!(rig.call(&replica, &key).await.run().await, Renewal::Failed);
    assert_eq!((rig.calls(), access(&replica, &key).await), (0, Some(Secret::new("old"))));
}

#[tokio::test]
async fn a_session_that_has_ended_meanwhile_costs_no_call() {
    let rig = Rig::new(&[]);
    let replica = rig.replica();
    let key = somebody(&replica, &rig.clock).await;
    let call = rig.call(&replica, &key).await;
    replica.end(key.id()).await.unwrap();
    assert_eq!(call.run().await, Renewal::Done);
    assert_eq!(rig.calls(), 0);
}
