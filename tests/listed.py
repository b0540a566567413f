"""The lists of exceptions: tests/uncovered.txt and tests/mutants.txt."""


def reasons(path):
    """One or more entries, a line each, then their reason, indented. Gives the reason of each entry."""
    found, keys, ended = {}, [], False
    for line in open(path):
        if line.startswith("#") or not line.strip():
            continue
        if line[0].isspace():
            found.update({key: line.strip() for key in keys})
            ended = True
        else:
            if ended:
                keys = []
            ended = False
            keys.append(line.strip())
            found.setdefault(keys[-1], "")
    return found
