resource "test_thing" "a" {
  name = "a"
  secret = "s"
}

output "x" {
  value     = test_thing.a.secret
  sensitive = true
}
