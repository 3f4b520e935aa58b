locals {
a=var . x
b = module.m . out [ 0 ]
c =each.value
d = self . id
}
