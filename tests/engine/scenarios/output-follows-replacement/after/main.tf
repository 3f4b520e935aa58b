resource "test_thing" "a" {
  name = "a"
  zone = "y"
}

output "x" { value = test_thing.a.id }
