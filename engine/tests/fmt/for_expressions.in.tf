a=[for x in y:x]
b={for k,v in y:k=>v}
c={for k,v in y:k=>v...if v!=""}
d=[for x in[1,2]:x]
e = [
for x in y :
x
if x>1
]
f = {
for k, v in y:
k=>v
}
