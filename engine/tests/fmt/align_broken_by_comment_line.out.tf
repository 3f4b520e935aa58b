a = 1
# between
long_name = 2
