resource "test_thing" "a" {
  name = "a"
  zone = "x"
}

output "x" { value = test_thing.a.id }
