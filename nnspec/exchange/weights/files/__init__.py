"""Reading files of weights: arrays by name, nothing unpickled or executed, nothing larger than its file can hold."""
