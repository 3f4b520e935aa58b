a = 1 # x
bb = 2
ccc = 3 # y
