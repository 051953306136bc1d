//! A leaver with a kernel that answers when it likes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use ipvs::fake_kernel::FakeKernel;
use ipvs::{Pool, Protocol, Scheduler, SchedulerFlags, Service, ServiceKey};

use super::super::nannies::{Kind, News};
use super::*;
use crate::reconciler::Refusal;

#[derive(Default)]
struct Fake {
    kernel: FakeKernel,
    /// What it is believed to hold: what it has answered.
    believed: BTreeSet<ServiceKey>,
    /// Jobs that it has not looked at yet.
    jobs: VecDeque<Job>,
    /// Answers that are waited for.
    waiting: usize,
    /// It answers nothing any more.
    hangs: bool,
    /// It removes nothing.
    refuses: bool,
    /// Words of nannies that come in before each answer.
    chatter: usize,
    order: Vec<&'static str>,
}

impl Leaver for Fake {
    fn is_waiting(&self) -> bool {
        self.waiting > 0
    }

    fn take(&mut self, answer: Answer) {
        self.waiting -= 1;
        let Answer::Applied(steps, results) = answer else { return };
        for (step, result) in steps.into_iter().zip(results) {
            match (step, result) {
                (Step::AddService(key, _), Ok(())) => drop(self.believed.insert(key)),
                (Step::RemoveService(key), Ok(())) => drop(self.believed.remove(&key)),
                _ => {}
            }
        }
    }

    async fn next(&mut self) -> Option<Event> {
        if self.chatter > 0 {
            self.chatter -= 1;
            let news = News::Ended { why: "killed".into() };
            return Some(Event::Nanny(Kind::Network, news));
        }
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let answer = match self.jobs.pop_front()? {
            Job::Apply(steps) => {
                let done = steps.iter().map(|step| {
                    if self.refuses && matches!(step, Step::RemoveService(_)) {
                        return Err(Refusal { errno: 16, text: "busy".into() });
                    }
                    assert_eq!(self.kernel.apply(step), Ok(()));
                    Ok(())
                });
                let done = done.collect();
                Answer::Applied(steps, done)
            }
            Job::Marks(_) | Job::Dump => Answer::Dumped(Err("not now".into())),
            Job::Settings { ours, .. } => {
                Answer::Settled { changed: Vec::new(), failed: Vec::new(), ours }
            }
        };
        Some(Event::Kernel(answer))
    }

    fn last_steps(&mut self) -> Vec<Step> {
        self.waiting += 1;
        self.believed.iter().map(|key| Step::RemoveService(*key)).collect()
    }

    fn remaining(&self) -> usize {
        self.believed.len()
    }

    fn last_marks(&mut self) -> Option<Vec<MarkRule>> {
        self.waiting += 1;
        Some(Vec::new())
    }

    async fn ask(&mut self, job: Job) -> Result<(), ExitError> {
        self.order.push(match job {
            Job::Marks(_) => "marks",
            _ => "services",
        });
        self.jobs.push_back(job);
        Ok(())
    }
}

fn key(port: u16) -> ServiceKey {
    let address = ([192, 168, 1, 1], port).into();
    ServiceKey::Address { address, protocol: Protocol::Tcp }
}

fn service() -> Service {
    Service {
        scheduler: Scheduler::wlc(),
        flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    }
}

/// One service is there, another one is being made, and a look at the marks is under way.
fn busy() -> Fake {
    let pool = Pool { service: service(), destinations: BTreeMap::new() };
    Fake {
        kernel: FakeKernel::holding([(key(80), pool)].into()),
        believed: [key(80)].into(),
        jobs: [Job::Apply(vec![Step::AddService(key(443), service())]), Job::Marks(Vec::new())]
            .into(),
        waiting: 2,
        ..Fake::default()
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_being_made_while_it_stops_is_removed_as_well() {
    let mut fake = Fake { chatter: 3, ..busy() };
    assert_eq!(leave(&mut fake).await.unwrap(), Left::Done);
    assert!(fake.kernel.table.is_empty(), "{:?}", fake.kernel.table);
    assert_eq!(fake.order, ["services", "marks"]);
    assert!(!fake.is_waiting());
}

#[tokio::test(start_paused = true)]
async fn a_kernel_that_does_not_answer_holds_up_no_end() {
    let mut fake = Fake { hangs: true, ..busy() };
    assert_eq!(leave(&mut fake).await.unwrap(), Left::Silent);
    assert_eq!(fake.order, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_the_kernel_refuses_is_known_and_the_marks_go_all_the_same() {
    let mut fake = Fake { refuses: true, ..busy() };
    assert_eq!(leave(&mut fake).await.unwrap(), Left::Refused(2));
    assert_eq!(fake.order, ["services", "marks"]);
    assert!(!fake.is_waiting());
}
