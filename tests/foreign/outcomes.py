# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs tests of Python's own suite and writes one line for each: "NAME OUTCOME".

    outcomes.py FILE MODULE-OR-TEST...
"""
import sys, unittest
import test.support

test.support.use_resources = []  # nothing that needs more than this machine


class Outcomes(unittest.TextTestResult):
    def startTest(self, test):
        super().startTest(test)
        self.outcome = "ok"

    def addError(self, test, error):
        self.outcome = "error"
        if not hasattr(test, "_testMethodName"):  # a fixture of a class or module
            print(test, "error", file=out)
        super().addError(test, error)

    def addFailure(self, test, error):
        self.outcome = "failed"
        super().addFailure(test, error)

    def addSubTest(self, test, subtest, error):
        if error:
            self.outcome = "failed"
        super().addSubTest(test, subtest, error)

    def addSkip(self, test, reason):
        self.outcome = "skipped"
        super().addSkip(test, reason)

    def stopTest(self, test):
        print(test.id(), self.outcome, file=out, flush=True)
        super().stopTest(test)


def without_vsock(suite):
    """Virtual machines answer these in ways that have nothing to do with us, or not at all."""
    return unittest.TestSuite(
        without_vsock(each) if isinstance(each, unittest.TestSuite) else each
        for each in suite
        if "VSOCK" not in type(each).__name__)


with open(sys.argv[1], "w") as out:
    suite = without_vsock(unittest.defaultTestLoader.loadTestsFromNames(sys.argv[2:]))
    unittest.TextTestRunner(stream=sys.stderr, resultclass=Outcomes).run(suite)
