import unittest

from report import report


class ReportTest(unittest.TestCase):
    def test_counts_words(self):
        self.assertEqual(report("one two"), {"words": 2, "title": "One Two"})


if __name__ == "__main__":
    unittest.main()
