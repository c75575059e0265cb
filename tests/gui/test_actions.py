"""The registry of actions."""

import pytest

from stmlab.gui.actions import Action


def test_an_action_is_done_by_name_by_button_and_by_menu_and_tells_its_tip_and_shortcut(context, qtbot):
    done = []
    made = context.actions.add(
        Action("run.pause", "&Pause", "Pause after this point", "Ctrl+P"), lambda: done.append(1)
    )
    context.actions.trigger("run.pause")
    button = context.actions.button("run.pause")
    qtbot.addWidget(button)
    button.click()
    assert done == [1, 1]
    assert made.toolTip() == "Pause after this point (Ctrl+P)"
    made.setEnabled(False)
    assert not button.isEnabled()
    context.actions.trigger("run.pause")
    assert len(done) == 2


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        (Action("run.pause", "Again", "Twice"), "there is such an action already"),
        (Action("run.third", "Third", ""), "needs a tip"),
        (Action("run.fourth", "Fourth", "Fourth", menu="Nowhere"), "'Nowhere' is no menu"),
    ],
)
def test_two_actions_do_not_share_a_name_and_each_has_a_tip_and_a_menu_that_exists(context, action, reason):
    context.actions.add(Action("run.pause", "&Pause", "Pause", "Ctrl+P"), lambda: None)
    with pytest.raises(ValueError, match=reason):
        context.actions.add(action, lambda: None)


def test_a_shortcut_stays_with_the_first_who_has_it_and_the_log_says_so(context, caplog):
    first = context.actions.add(Action("run.pause", "&Pause", "Pause", "Ctrl+P"), lambda: None)
    second = context.actions.add(Action("run.print", "P&rint", "Print", "Ctrl+P"), lambda: None)
    assert first.shortcut().toString() == "Ctrl+P"
    assert second.shortcut().isEmpty()
    assert "run.print: Ctrl+P is the shortcut of run.pause" in caplog.text
