//! What is counted while a world goes by.

/// Counts are kept by half seconds.
pub const STEP: u64 = 500;

/// Half a second's calls, of those that the fault concerns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Sent or refused.
    pub tried: u64,
    pub refused: u64,
    /// Sent, and failed by the fault.
    pub wasted: u64,
}

/// A run's counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    pub steps: Vec<Step>,
    /// Refused, and would have succeeded: while the fault lasted; and all.
    pub wrongly: (u64, u64),
    /// Of those that were refused and would have succeeded: calls that the fault does not concern at any time.
    pub bystanders: u64,
    /// Probes while the fault lasted.
    pub probes: u64,
    /// Exchanges by second, of each object.
    pub load: Vec<Vec<u64>>,
    /// The share of the isolates that have met the fault's calls and would send none of them, by half seconds of the fault.
    pub stopped: Vec<f64>,
    pub requests: u64,
}

/// What a run comes to. Times are in seconds; none is never.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    pub isolates_stop: Option<f64>,
    pub traffic_stops: Option<f64>,
    pub wasted: u64,
    pub wrongly: (u64, u64),
    pub bystanders: u64,
    /// The busiest second of any object, and the busiest object's mean.
    pub load: (u64, f64),
    pub probes: u64,
    /// Until 95 and 99 in a hundred calls are let through again, for good.
    pub recovers: (Option<f64>, Option<f64>),
    pub wasted_per_second: Vec<u64>,
    pub requests: u64,
}

#[allow(clippy::cast_precision_loss, reason = "counts of a few million")]
#[allow(clippy::cast_possible_truncation, reason = "minutes in half seconds")]
impl Tally {
    pub fn step(&mut self, now: u64) -> &mut Step {
        let place = (now / STEP) as usize;
        if self.steps.len() <= place {
            self.steps.resize(place + 1, Step::default());
        }
        &mut self.steps[place]
    }

    pub fn exchanged(&mut self, object: usize, now: u64) {
        if self.load.len() <= object {
            self.load.resize(object + 1, Vec::new());
        }
        let seconds = &mut self.load[object];
        let place = (now / 1_000) as usize;
        if seconds.len() <= place {
            seconds.resize(place + 1, 0);
        }
        seconds[place] += 1;
    }

    /// What it comes to for a fault that lasted from `begins` to `ends`, when loads count from `settled` on.
    pub fn figures(&self, settled: u64, begins: u64, ends: u64) -> Figures {
        let (first, last) = ((begins / STEP) as usize, (ends / STEP) as usize);
        let seconds = |steps: usize| steps as f64 * STEP as f64 / 1_000.0;
        let fault = self.steps.get(first..last).unwrap_or_default();
        let after = self.steps.get(last..).unwrap_or_default();
        let refused = |step: &Step| step.refused as f64 / step.tried.max(1) as f64;
        // For good: from then on to the end of the run.
        let recovers = |share: f64| {
            let bad = after.iter().rposition(|step| refused(step) > 1.0 - share);
            let steps = bad.map_or(0, |bad| bad + 1);
            (steps < after.len()).then(|| seconds(steps))
        };
        let load = |seconds: &Vec<u64>| {
            let seconds = seconds.get((settled / 1_000) as usize..).unwrap_or_default();
            let mean = seconds.iter().sum::<u64>() as f64 / seconds.len().max(1) as f64;
            (seconds.iter().copied().max().unwrap_or_default(), mean)
        };
        let loads: Vec<_> = self.load.iter().map(load).collect();
        Figures {
            isolates_stop: self.stopped.iter().position(|share| *share >= 0.95).map(|steps| seconds(steps + 1)),
            traffic_stops: fault.iter().position(|step| refused(step) >= 0.95).map(|steps| seconds(steps + 1)),
            wasted: self.steps.iter().map(|step| step.wasted).sum(),
            wrongly: self.wrongly,
            bystanders: self.bystanders,
            load: (
                loads.iter().map(|load| load.0).max().unwrap_or_default(),
                loads.iter().map(|load| load.1).fold(0.0, f64::max),
            ),
            probes: self.probes,
            recovers: (recovers(0.95), recovers(0.99)),
            wasted_per_second: self.steps.chunks(2).map(|pair| pair.iter().map(|step| step.wasted).sum()).collect(),
            requests: self.requests,
        }
    }
}
