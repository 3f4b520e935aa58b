resource "test_thing" "a" {
  name = "a"
  size = 1
}

output "size" { value = test_thing.a.size }
