"""What all tests share: the fixtures of the control plane."""

pytest_plugins = ["controlplane.plugin"]
