"""What jobs do: running them (`runner.py`), when (`schedules.py`), and one file for each kind."""
