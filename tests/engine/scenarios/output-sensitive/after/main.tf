resource "test_thing" "a" {
  name = "a"
  secret = "t"
}

output "x" {
  value     = test_thing.a.secret
  sensitive = true
}
