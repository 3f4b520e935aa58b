output "broken" {
