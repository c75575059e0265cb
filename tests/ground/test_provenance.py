"""Which version of the code ran."""

import pytest

from stmlab import provenance

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def git(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "stmlab/provenance.py"))
    return tmp_path / ".git"


def test_a_branch_is_followed_to_its_commit_loose_or_packed(git):
    (git / "HEAD").write_text("ref: refs/heads/main\n")
    assert provenance.git_revision() == ""
    (git / "packed-refs").write_text(
        f"# pack-refs with: peeled\n{COMMIT[::-1]} refs/heads/x\n{COMMIT} refs/heads/main\n"
    )
    assert provenance.git_revision() == COMMIT
    (git / "refs/heads").mkdir(parents=True)
    (git / "refs/heads/main").write_text(COMMIT.upper() + "\n")
    assert provenance.git_revision() == COMMIT.upper(), "what is loose is newer"


def test_a_commit_that_is_checked_out_by_itself_is_told_and_a_package_has_none(git):
    assert provenance.git_revision() == ""
    (git / "HEAD").write_text(COMMIT + "\n")
    assert provenance.git_revision() == COMMIT
