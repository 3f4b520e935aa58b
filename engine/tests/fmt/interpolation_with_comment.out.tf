a = b # c

d = f(1, # e
2)
