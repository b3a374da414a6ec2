"""Exercise of notebook 05: the runs that no other dominates."""

from collections.abc import Callable, Sequence

from styletut.exercises.judging import Exercise, Mistake

Run = tuple[float, float]
Runs = Sequence[Run]


def _runs() -> list[tuple[Runs]]:
    lists = (
        [(1, 5), (2, 3), (3, 4), (4, 1)],
        [(2, 2), (2, 2), (3, 2), (1, 4), (2, 5)],
        [(5, 1), (4, 1.5), (3, 2.5), (2.9, 2.5), (9, 9)],
        [(0.5, 0.5)],
        [(3, 1), (3, 2), (1, 3), (2, 2.9)],
        [(3, 2), (3, 1), (4, 4), (4, 4), (1, 3), (2, 2.9), (1, 3)],
    )
    # made here, so that equal runs are not one and the same object
    return [([(float(c), float(s)) for c, s in runs],) for runs in lists]


def _no_worse(a: Run, b: Run) -> bool:
    return a[0] <= b[0] and a[1] <= b[1]


def _dominates(a: Run, b: Run) -> bool:
    return _no_worse(a, b) and a != b


def _undominated(
    runs: Runs, dominates: Callable[[Run, Run], bool]
) -> set[int]:
    return {
        i
        for i, run in enumerate(runs)
        if not any(dominates(other, run) for other in runs)
    }


def _front(runs: Runs) -> set[int]:
    return _undominated(runs, _dominates)


def _strictly_in_both(runs: Runs) -> set[int]:
    return _undominated(runs, lambda a, b: a[0] < b[0] and a[1] < b[1])


def _dominated_by_equals(runs: Runs) -> set[int]:
    return {
        i
        for i, run in enumerate(runs)
        if not any(_no_worse(o, run) for j, o in enumerate(runs) if j != i)
    }


def _dominated_by_itself(runs: Runs) -> set[int]:
    return _undominated(runs, _no_worse)


def _dominated_in_one(runs: Runs) -> set[int]:
    return _undominated(runs, lambda a, b: a[0] < b[0] or a[1] < b[1])


def _compared_as_pairs(runs: Runs) -> set[int]:
    return _undominated(runs, lambda a, b: a < b)


def _largest(runs: Runs) -> set[int]:
    return _front([(-c, -s) for c, s in runs])


def _ends(runs: Runs) -> set[int]:
    indices = range(len(runs))
    return {
        min(indices, key=lambda i: runs[i][0]),
        min(indices, key=lambda i: runs[i][1]),
    }


def _sorted_by_content(runs: Runs) -> set[int]:
    found, least = set(), float("inf")
    for i in sorted(range(len(runs)), key=lambda i: runs[i][0]):
        if runs[i][1] < least:
            found.add(i)
            least = runs[i][1]
    return found


FRONT = Exercise(
    number="05.4",
    right=_front,
    praise="No run dominates these.",
    cases=_runs,
    mistakes=(
        Mistake(
            "better in both asked for",
            _strictly_in_both,
            "A run is also dominated by one that is equal in one loss and "
            "better in the other.",
        ),
        Mistake(
            "equals dominate each other",
            _dominated_by_equals,
            "Two equal runs do not dominate each other; both stay.",
        ),
        Mistake(
            "dominated by itself",
            _dominated_by_itself,
            "Each run is at least as good as itself, so yours dominates "
            "itself: one of the two losses must be better.",
        ),
        Mistake(
            "dominated in one loss",
            _dominated_in_one,
            "You asked whether another is better in content *or* style. To "
            "dominate, it must be at least as good in both.",
        ),
        Mistake(
            "one of equals",
            lambda runs: {runs.index(runs[i]) for i in _front(runs)},
            "Of equal runs you have only the first: `runs.index` always "
            "finds that one.",
        ),
        Mistake(
            "compared as pairs",
            _compared_as_pairs,
            "Python compares pairs by their first numbers, and by the second "
            "only where those are equal. Compare the losses one by one.",
        ),
        Mistake(
            "sorted by content alone",
            _sorted_by_content,
            "You went through the runs in the order of content. What about "
            "two that are equal there?",
        ),
        Mistake(
            "runs for indices",
            lambda runs: {runs[i] for i in _front(runs)},
            "These are the runs themselves. The exercise asks for their "
            "indices.",
        ),
        Mistake(
            "counted from 1",
            lambda runs: {i + 1 for i in _front(runs)},
            "Python counts from 0: the first run has the index 0.",
        ),
        Mistake(
            "truth values",
            lambda runs: [i in _front(runs) for i in range(len(runs))],
            "You say of each run whether it stays. The exercise asks for the "
            "indices of those that do.",
        ),
        Mistake(
            "largest for smallest",
            _largest,
            "You took the far side: small losses are good.",
        ),
        Mistake(
            "ends only",
            _ends,
            "You kept the best in content and the best in style. Between "
            "them there are compromises that no run dominates.",
        ),
        Mistake(
            "the dominated",
            lambda runs: set(range(len(runs))) - _front(runs),
            "You returned those that are dominated.",
        ),
    ),
)
