"""The commands of the command line: one file a family. Importing one adds its commands to the app."""
