//! JUnit's XML, which every CI reads: a suite a section, a test a case.

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Finding;
use super::failure::Failure;
use crate::error::Error;
use crate::sections::TITLES;
use crate::verdict::Behavior;

pub(crate) fn document(findings: &[Finding<'_>]) -> Result<String, Error> {
    let mut report = Report::new("ws-conformance");
    for (section, title) in TITLES {
        let mut suite = TestSuite::new(format!("{section} {title}"));
        let members = findings.iter().filter(|finding| finding.outcome.id.section() == section);
        suite.add_test_cases(members.map(test));
        if !suite.test_cases.is_empty() {
            report.add_test_suite(suite);
        }
    }
    report.to_string().map_err(|error| Error::new(format!("cannot make the JUnit file: {error}")))
}

fn test(finding: &Finding<'_>) -> TestCase {
    let outcome = finding.outcome;
    let verdict = &outcome.verdict;
    let status = match (finding.as_expected, verdict.behavior) {
        (false, _) => {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            status.set_message(format!(
                "behaviour {}: {}; closing {}: {}",
                verdict.behavior, verdict.why, verdict.closing, verdict.closing_why
            ));
            status.set_description(Failure(finding).to_string());
            status
        }
        (true, Behavior::Unimplemented) => TestCaseStatus::skipped(),
        (true, _) => TestCaseStatus::success(),
    };
    let mut test = TestCase::new(format!("{} {}", outcome.id, outcome.title), status);
    test.set_classname(format!("{} {}", outcome.agent, outcome.section));
    test.set_time(outcome.duration);
    test
}
