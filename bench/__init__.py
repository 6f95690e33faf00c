"""Speed as ratios: what the daemons' questions cost on this machine, beside a floor measured in the same run."""
