"""What a merge does to running pods, over time: one simulator a controller, on a virtual clock."""
