resource "a" "b" {
dynamic "setting" {
for_each=var.settings
iterator=  s
content{
name=s.value["name"]
value = s.value [ "value" ]
}
}
}
