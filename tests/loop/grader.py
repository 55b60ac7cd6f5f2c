"""A rule that scores: `grader.py STORE CELL` scores each answer of a cell that it has not scored yet, from 2 to 10."""

import sys

from tsodata.provenance import Run
from tsodata.records import Rubric, Score
from tsodata.store import Store

ANSWERS = """
select prompt_key, source_key, response_key, text from responses
where source_key = (select source_key from sources where label = $cell)
    and response_key not in (select response_key from scores where judge = 'rule')
order by response_key
"""


def grade(text):
    return 2 + sum(text.count(letter) for letter in "aeiou0123") % 9


def main(path, cell):
    store, rubric = Store.open(path), Rubric.pointwise("vowels", 2, 10)
    rows = store.sql(ANSWERS, {"cell": cell}).rows()
    scores = [
        Score(None, prompt, source, response, "rule", "model", rubric.rubric_key, "vowels", value=grade(text))
        for prompt, source, response, text in rows
    ]
    with store.run(Run.of_process({"grader": cell})) as run, store.transaction(run) as transaction:
        transaction.append({Rubric: [rubric], **({Score: scores} if scores else {})})


if __name__ == "__main__":
    main(*sys.argv[1:])
