a=f([1,2],{x=1})
long_name={}
