"""The golden checker: judges what crosses a virtio device's host boundary, clause by clause."""

from pymodel.checker.clauses import Clause, clauses
from pymodel.checker.engine import Checker
from pymodel.checker.report import check_file, check_files
from pymodel.checker.verdicts import Finding, Results, Verdict

__all__ = ["Checker", "Clause", "Finding", "Results", "Verdict", "check_file", "check_files", "clauses"]
