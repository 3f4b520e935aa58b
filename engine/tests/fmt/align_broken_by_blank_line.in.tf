a=1
long_name=2

b=3
longer_name=4
